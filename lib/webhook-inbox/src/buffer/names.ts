// One slot of a cluster, so that a script may touch them together.
export const STREAM = '{webhooks}:events'
/** Bytes that the stream and the parked entries hold; missing when nobody has counted them, and wrong while both are empty. */
export const BYTES = '{webhooks}:bytes'
/** Dead letters, for a person: entries that cannot be read, and events that the database refuses for good. */
export const PARKED = '{webhooks}:parked'
/** Held by the one that drains. */
export const LOCK = '{webhooks}:drain'
export const GROUP = 'drain'
/** One for all who drain: the server keeps every name that it was ever told. */
export const CONSUMER = 'drain'
/** Never there. */
export const NOTHING = '{webhooks}:nothing'

// What the server needs for an entry beside its content, roughly.
const OVERHEAD_BYTES = 200

/** Bytes that an entry counts for. */
export function sizeOf(entry: Buffer): number {
  return entry.length + OVERHEAD_BYTES
}

/**
 * KEYS: stream, bytes, parked. ARGV: most bytes, entry. Gives the entry's id, or nil when there is no room. Somebody may
 * have trimmed the stream by hand, or taken the number away: it begins anew when nothing is left, and is counted when it
 * is missing.
 */
export const ADD = `
local size = #ARGV[2] + ${OVERHEAD_BYTES}
local held = tonumber(redis.call('GET', KEYS[2]) or nil)
if redis.call('XLEN', KEYS[1]) + redis.call('XLEN', KEYS[3]) == 0 then held = 0 end
if not held then
  held = 0
  for _, key in ipairs({KEYS[1], KEYS[3]}) do
    local from = '-'
    repeat
      local found = redis.call('XRANGE', key, from, '+', 'COUNT', 20)
      for _, one in ipairs(found) do
        held = held + (tonumber(one[2][4]) or 0)
        from = '(' .. one[1]
      end
    until #found == 0
  end
end
if held + size > tonumber(ARGV[1]) then return false end
redis.call('SET', KEYS[2], held + size)
return redis.call('XADD', KEYS[1], '*', 'entry', ARGV[2], 'size', size)`

/** KEYS: stream, bytes. ARGV: group, id, size. Takes an entry out, once. */
export const TAKE_OUT = `
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
if redis.call('XDEL', KEYS[1], ARGV[2]) == 1 and redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('DECRBY', KEYS[2], tonumber(ARGV[3]) or 0)
end`

/** KEYS: stream, parked. ARGV: group, id, entry, size, reason, the id it was buffered with. Moves an entry to the parked ones, once. */
export const PARK = `
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
if redis.call('XDEL', KEYS[1], ARGV[2]) == 1 then redis.call('XADD', KEYS[2], '*', 'entry', ARGV[3], 'size', ARGV[4], 'reason', ARGV[5], 'first', ARGV[6]) end`

/** KEYS: parked, bytes. ARGV: id, size. Drops a parked entry, once. */
export const DROP_PARKED = `
if redis.call('XDEL', KEYS[1], ARGV[1]) == 1 and redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('DECRBY', KEYS[2], tonumber(ARGV[2]) or 0)
end`

/** KEYS: stream. Gives for how long the oldest entry has waited, in ms by the server's clock; 0 when none waits. */
export const OLDEST_MS = `
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if not first then return 0 end
local time = redis.call('TIME')
return time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(string.match(first[1], '^%d+'))`

/**
 * KEYS: lock, stream, one that is never there. ARGV: whose, for how many ms, group. Takes the lock and sees to the group;
 * gives nil when another has the lock. A server whose memory is full refuses what needs more, but lets a script go on
 * that began with what needs none: what makes room must not need it.
 */
export const TAKE_LOCK = `
redis.call('DEL', KEYS[3])
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
local made = redis.pcall('XGROUP', 'CREATE', KEYS[2], ARGV[3], '0', 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP') then
  redis.call('DEL', KEYS[1])
  return made
end
return 1`

/** KEYS: lock. ARGV: whose. Lets the lock go if it is still one's own. */
export const UNLOCK = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`

/** KEYS: stream, parked. Puts every parked entry back; gives how many there were. */
export const RETURN_PARKED = `
local parked = redis.call('XRANGE', KEYS[2], '-', '+')
for _, found in ipairs(parked) do
  redis.call('XADD', KEYS[1], '*', 'entry', found[2][2], 'size', found[2][4], 'first', found[2][8] or found[1])
  redis.call('XDEL', KEYS[2], found[1])
end
return #parked`
