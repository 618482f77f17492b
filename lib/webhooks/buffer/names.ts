// One slot of a cluster, so that a script may touch them together.
export const STREAM = '{webhooks}:events'
/** Bytes that the stream and the parked entries hold. */
export const BYTES = '{webhooks}:bytes'
/** Entries that cannot be read, for a person. */
export const PARKED = '{webhooks}:parked'
/** Held by the one that drains. */
export const LOCK = '{webhooks}:drain'
export const GROUP = 'drain'

// What the server needs for an entry beside its content, roughly.
const OVERHEAD_BYTES = 200

/** Bytes that an entry counts for. */
export function sizeOf(entry: Buffer): number {
  return entry.length + OVERHEAD_BYTES
}

/** KEYS: stream, bytes. ARGV: most bytes, entry. Gives the entry's id, or nil when there is no room. */
export const ADD = `
local size = #ARGV[2] + ${OVERHEAD_BYTES}
if tonumber(redis.call('GET', KEYS[2]) or '0') + size > tonumber(ARGV[1]) then return false end
redis.call('INCRBY', KEYS[2], size)
return redis.call('XADD', KEYS[1], '*', 'entry', ARGV[2], 'size', size)`

/** KEYS: stream, bytes. ARGV: group, id, size. Takes an entry out, once. */
export const TAKE_OUT = `
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
if redis.call('XDEL', KEYS[1], ARGV[2]) == 1 then redis.call('DECRBY', KEYS[2], ARGV[3]) end`

/** KEYS: stream, parked. ARGV: group, id, entry, size, reason. Moves an entry to the parked ones, once. */
export const PARK = `
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
if redis.call('XDEL', KEYS[1], ARGV[2]) == 1 then redis.call('XADD', KEYS[2], '*', 'entry', ARGV[3], 'size', ARGV[4], 'reason', ARGV[5]) end`

/** KEYS: lock. ARGV: whose. Lets the lock go if it is still one's own. */
export const UNLOCK = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`

/** KEYS: stream, parked. Puts every parked entry back; gives how many there were. */
export const RETURN_PARKED = `
local parked = redis.call('XRANGE', KEYS[2], '-', '+')
for _, found in ipairs(parked) do
  redis.call('XADD', KEYS[1], '*', 'entry', found[2][2], 'size', found[2][4])
  redis.call('XDEL', KEYS[2], found[1])
end
return #parked`
