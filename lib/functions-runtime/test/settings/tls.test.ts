import { inject, describe, expect, it } from 'vitest'
import { decideTls, pgTls, sslModes } from '../../src/settings/tls.ts'

const managed = 'db-1.b.db.ondigitalocean.com'
const ca = () => inject('postgres').authority

describe('decideTls', () => {
  it.each(['allow', 'prefer', 'require', undefined] as const)(
    'encrypts to a managed host without verifying when sslmode is %s and there is no CA',
    sslmode => {
      expect(decideTls({ host: managed, sslmode })).toEqual({
        mode: 'unverified',
        options: { minVersion: 'TLSv1.2', rejectUnauthorized: false },
      })
    },
  )

  it.each(sslModes.filter(mode => mode !== 'disable'))('verifies in full with a CA when sslmode is %s', sslmode => {
    expect(decideTls({ host: managed, sslmode, ca: ca() })).toEqual({
      mode: 'verified',
      options: { minVersion: 'TLSv1.2', rejectUnauthorized: true, ca: ca() },
    })
  })

  it.each(['verify-ca', 'verify-full'] as const)('verifies with the roots of Node when %s is asked for without a CA', sslmode => {
    expect(decideTls({ host: 'db.example.com', sslmode })).toMatchObject({ mode: 'verified', options: { rejectUnauthorized: true } })
  })

  it.each([managed, managed.toUpperCase(), `${managed}.`])('refuses to turn TLS off for %s', host => {
    expect(decideTls({ host, sslmode: 'disable' })).toMatchObject({ variable: 'sslmode' })
  })

  it('does not take a host that merely ends like a managed one for managed', () => {
    expect(decideTls({ host: 'evil-db.ondigitalocean.com.example.com', sslmode: 'disable' })).toEqual({ mode: 'off' })
  })

  it('refuses a CA together with sslmode=disable', () => {
    expect(decideTls({ host: 'db.example.com', sslmode: 'disable', ca: ca() })).toMatchObject({ variable: 'ca' })
  })

  it('has no TLS through a socket, and refuses to be asked for it', () => {
    const host = '/var/run/postgresql'
    expect(decideTls({ host })).toEqual({ mode: 'off' })
    expect(decideTls({ host, sslmode: 'disable' })).toEqual({ mode: 'off' })
    expect(decideTls({ host, sslmode: 'verify-full' })).toMatchObject({ variable: 'sslmode' })
    expect(decideTls({ host, ca: ca() })).toMatchObject({ variable: 'ca' })
  })

  it.each(['localhost', '127.0.0.1', '127.1.2.3', '::1'])('leaves TLS off to %s unless asked for it', host => {
    expect(decideTls({ host })).toEqual({ mode: 'off' })
    expect(decideTls({ host, sslmode: 'require' })).toMatchObject({ mode: 'unverified' })
  })

  it('encrypts to any other host without being asked', () => {
    expect(decideTls({ host: 'db.example.com' })).toMatchObject({ mode: 'unverified' })
  })
})

describe('pgTls', () => {
  const tls = { mode: 'unverified', options: { minVersion: 'TLSv1.2', rejectUnauthorized: false } } as const

  it('sends the name of a server', () => {
    expect(pgTls(tls, managed)).toEqual({ ssl: { ...tls.options, servername: managed }, sslnegotiation: 'postgres' })
    expect(pgTls({ ...tls, negotiation: 'direct' }, managed).sslnegotiation).toBe('direct')
  })

  it.each(['10.0.0.1', '2001:db8::1'])('sends no server name to the address %s', host => {
    expect(pgTls(tls, host)).toEqual({ ssl: tls.options, sslnegotiation: 'postgres' })
  })

  it('has no TLS where it is off', () => {
    expect(pgTls({ mode: 'off' }, managed)).toEqual({ ssl: false, sslnegotiation: 'postgres' })
  })
})
