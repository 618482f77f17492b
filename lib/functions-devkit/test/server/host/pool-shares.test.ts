import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { profiles } from '../../../../resilient-sequelize/src/pool/profile.ts'
import { sharePool } from '../../../src/server/host/pool-shares.ts'
import { readHostedProject } from '../../../src/server/host/hosted-project.ts'
import { readForCheckout } from '../../support/tested-application.ts'

const POOLED = new Map([
  ['api/webhook', undefined],
  ['api/user', undefined],
  ['api/health', 2],
  ['ops/maintenance', 2],
])
const project = readForCheckout('project.yml').toString()
const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0)

describe('the connections of one process', () => {
  test('are divided so that requests have most, and health and maintenance their own', () => {
    expect(Object.fromEntries(sharePool(POOLED, profiles.server.pool))).toEqual({
      'api/webhook': { max: 11, min: 2 },
      'api/user': { max: 10, min: 1 },
      'api/health': { max: 2, min: 1 },
      'ops/maintenance': { max: 2, min: 1 },
    })
  })

  test('never are more than was asked for, and each function has one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 200 }), fc.integer({ min: 0, max: 200 }), (max, min) => {
        const shares = [...sharePool(POOLED, { max, min: Math.min(min, max) }).values()]
        expect(sum(shares.map(share => share.max))).toBe(max)
        expect(sum(shares.map(share => share.min))).toBeLessThanOrEqual(Math.min(min, max))
        expect(shares.every(share => share.max >= 1 && share.min <= share.max)).toBe(true)
      }),
    )
  })

  test('are refused when there are fewer than functions', () => {
    expect(() => sharePool(POOLED, { max: 3, min: 0 })).toThrow(/^DB_POOL_MAX is 3, but 4 functions share it: api\/webhook, /)
  })
})

describe('the environment of a hosted function', () => {
  const of = (environment: Record<string, string>) => readHostedProject(project, environment, { fewOf: name => POOLED.get(name) }).environmentOf

  test('holds what project.yml passes to it and nothing else, with the server profile and its share', () => {
    const environmentOf = of({ DB_HOST: 'db', API_KEYS: 'keys', DB_POOL_MAX: '12', DB_POOL_MIN: 'none', UNKNOWN: 'x' })
    expect(environmentOf('api/webhook')).toMatchObject({ DB_HOST: 'db', DB_PROFILE: 'server', DB_POOL_MAX: '4', PAYLOAD_KEY: 'none' })
    expect(environmentOf('api/webhook')).not.toHaveProperty('API_KEYS')
    expect(environmentOf('api/user')).toMatchObject({ API_KEYS: 'keys', DB_POOL_MAX: '4' })
    expect(environmentOf('api/user')).not.toHaveProperty('UNKNOWN')
    expect(environmentOf('ops/migrate')).not.toHaveProperty('DB_PROFILE')
  })

  test('says how often the health check runs here', () => {
    expect(of({ HEALTH_EVERY_SECONDS: '300' })('api/health')).toMatchObject({ HEALTH_EVERY_SECONDS: '30' })
    expect(of({})('api/user')).not.toHaveProperty('HEALTH_EVERY_SECONDS')
  })

  test('keeps a number that is none, for the settings to refuse', () => {
    expect(of({ DB_POOL_MAX: 'many' })('api/user')).toMatchObject({ DB_POOL_MAX: 'many' })
  })

  test('cannot have the profile of a paused container', () => {
    expect(() => of({ DB_PROFILE: 'function' })).toThrow(/^DB_PROFILE is for functions here/)
    expect(of({ DB_PROFILE: 'server' })('api/user')).toMatchObject({ DB_PROFILE: 'server' })
  })
})
