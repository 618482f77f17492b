import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readSettings } from '../../functions-runtime/src/settings/settings.ts'
import { payloadSettings } from '../src/settings/payload.ts'
import { open, seal } from '../src/inbox/payload.ts'

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64')
const keysOf = (text: string) => readSettings({ keys: payloadSettings }, { PAYLOAD_KEY: text }).keys
const codeOf = (work: () => unknown) => {
  try {
    work()
    return 'opened'
  } catch (error) {
    return (error as { code: string }).code
  }
}
const plain = Buffer.from('{"type":"t"}')

describe('a sealed payload', () => {
  it('opens to the same bytes, whatever they are, with a key and without', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), fc.boolean(), (bytes, name, encrypted) => {
        const keys = keysOf(encrypted ? key(1) : 'none')
        expect(open(seal(Buffer.from(bytes), name, keys), name, keys)).toEqual(Buffer.from(bytes))
      }),
    )
  })

  it('shows nothing of what it holds, nor that two hold the same', () => {
    const keys = keysOf(key(1))
    const [one, other] = [seal(plain, 'a', keys), seal(plain, 'a', keys)]
    expect(one.includes('type')).toBe(false)
    expect(one.equals(other)).toBe(false)
  })

  it('opens with the key that it was sealed with, also when another has come before that', () => {
    const sealed = seal(plain, 'a', keysOf(key(1)))
    expect(open(sealed, 'a', keysOf(`${key(2)} ${key(1)}`))).toEqual(plain)
    expect(codeOf(() => open(sealed, 'a', keysOf(key(2))))).toBe('payload-key-unknown')
    expect(codeOf(() => open(sealed, 'a', keysOf('none')))).toBe('payload-key-unknown')
  })

  it('opens for nothing else than what it belongs to, and not with any bit altered', () => {
    const keys = keysOf(key(1))
    const sealed = seal(plain, 'a', keys)
    expect(codeOf(() => open(sealed, 'b', keys))).toBe('payload-damaged')
    for (let at = 5; at < sealed.length; at += 1) {
      const altered = Buffer.from(sealed)
      altered[at] = (altered[at] ?? 0) ^ 1
      expect(codeOf(() => open(altered, 'a', keys))).toBe('payload-damaged')
    }
    for (const length of [0, 1, 20, 32]) expect(codeOf(() => open(sealed.subarray(0, length), 'a', keys))).toBe('payload-damaged')
  })
})

describe('PAYLOAD_KEY', () => {
  it.each(['x', key(1).slice(1), Buffer.alloc(16).toString('base64'), `${key(1)},${key(2)}`, `${key(1)} x`])(
    'refuses %j without repeating it',
    text => {
      expect(payloadSettings.parse({ PAYLOAD_KEY: text }).issues).toEqual([{ variable: 'PAYLOAD_KEY', reason: 'is not base64 of 32 bytes' }])
    },
  )
})
