import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { profiles } from '../../../resilient-sequelize/src/pool/profile.ts'
import {
  crowdedMark,
  DEFAULT_CROWDED_AT,
  judgeFit,
  recommend,
  usableConnections,
  type FleetSettings,
} from '../../../functions-devkit/src/cli/doctor/capacity.ts'
import type { GuardedClient } from '../../../resilient-sequelize/src/wire/guarded-client.ts'
import { CrowdingGuard } from '../../../resilient-sequelize/src/pool/crowding-guard.ts'
import { planOf, plans } from '../../../functions-devkit/src/cli/doctor/plans.ts'
import { createLogger } from '../../src/telemetry/logger.ts'

const smallest = planOf(1)
const anyServer = fc.record({ maxConnections: fc.integer({ min: 0, max: 1000 }), reserved: fc.integer({ min: 0, max: 20 }) })
const anyFleet = fc.record({
  containers: fc.integer({ min: 1, max: 500 }),
  poolMax: fc.integer({ min: 1, max: 50 }),
  pooler: fc.constantFrom('none' as const, 'transaction' as const),
  poolerSize: fc.option(fc.integer({ min: 0, max: 500 }), { nil: undefined }),
  crowdedAt: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
})

/** What the guard of one container makes of a look. */
async function guardIsCrowded(row: { sessions: number; capacity: number }, percent: number): Promise<boolean> {
  const guard = new CrowdingGuard({ crowdedAt: percent / 100, logger: createLogger({ name: 'test', level: 'silent' }) })
  guard.look({ sendRaw: async () => ({ rows: [row] }) } as unknown as GuardedClient)
  await guard.seen()
  return guard.crowded
}

function fleet(changes: Partial<FleetSettings> = {}): FleetSettings {
  return { containers: 60, poolMax: 1, pooler: 'none', ...changes }
}

describe('the plans', () => {
  it('leave of 25 connections for each GB all but three', () => {
    expect(plans.slice(0, 4).map(plan => [plan.memoryGb, plan.maxConnections, usableConnections(plan)])).toEqual([
      [1, 25, 22],
      [2, 50, 47],
      [4, 100, 97],
      [8, 200, 197],
    ])
  })

  it('fit the largest fleet at every size', () => {
    expect(plans.map(plan => recommend(plan, { containers: 120 }).verdict)).toEqual(['guarded', 'guarded', 'guarded', 'warm', 'warm'])
  })
})

it('counts with the mark that functions have by default', () => {
  expect(profiles.function.crowdedAt).toBe(DEFAULT_CROWDED_AT / 100)
})

describe('the smallest plan', () => {
  it('keeps 17 of 60 containers connected, and five connections free', () => {
    expect(judgeFit(smallest, fleet())).toEqual({ verdict: 'guarded', usable: 22, held: 17, free: 5, reasons: [] })
  })

  it('keeps as many containers connected as the mark allows, and not one more', () => {
    expect(judgeFit(smallest, fleet({ containers: 17 })).verdict).toBe('warm')
    expect(judgeFit(smallest, fleet({ containers: 18 })).verdict).toBe('guarded')
  })

  it('cannot take a pool that is larger than itself', () => {
    expect(judgeFit(smallest, fleet({ containers: 1, poolMax: 22 })).verdict).toBe('guarded')
    expect(judgeFit(smallest, fleet({ containers: 1, poolMax: 23 })).reasons).toEqual([expect.stringContaining('DB_POOL_MAX 23')])
  })

  it('is locked without the guard, as soon as there are more containers than connections', () => {
    expect(judgeFit(smallest, fleet({ crowdedAt: 0, containers: 22 })).verdict).toBe('warm')
    expect(judgeFit(smallest, fleet({ crowdedAt: 0, containers: 23 })).reasons).toEqual([expect.stringContaining('DB_CROWDED_AT 0')])
    expect(judgeFit(smallest, fleet({ crowdedAt: 100 }))).toMatchObject({ verdict: 'guarded', free: 1 })
  })

  it('takes any number of containers through a pooler that leaves a connection for migrations', () => {
    expect(judgeFit(smallest, fleet({ containers: 500, pooler: 'transaction', poolerSize: 10 }))).toMatchObject({
      verdict: 'pooled',
      held: 10,
      free: 12,
    })
    expect(judgeFit(smallest, fleet({ pooler: 'transaction', poolerSize: 21 })).verdict).toBe('pooled')
    expect(judgeFit(smallest, fleet({ pooler: 'transaction', poolerSize: 22 })).reasons).toEqual([expect.stringContaining('migrations')])
    expect(judgeFit(smallest, fleet({ pooler: 'transaction', poolerSize: 23 })).reasons).toEqual([expect.stringContaining('lend out 23')])
    expect(judgeFit(smallest, fleet({ pooler: 'transaction', poolerSize: 0 })).reasons).toEqual([expect.stringContaining('no connection')])
  })
})

describe('whatever the server and the settings', () => {
  it('what is held and what is free make up what is usable', () => {
    fc.assert(
      fc.property(anyServer, anyFleet, (server, settings) => {
        const { usable, held, free } = judgeFit(server, settings)
        expect(held).toBeGreaterThanOrEqual(0)
        expect(free).toBeGreaterThanOrEqual(0)
        expect(held + free).toBe(usable)
        expect(held).toBeLessThanOrEqual(settings.containers * settings.poolMax)
      }),
    )
  })

  it('somebody who has no connection can still get one unless every container has its own', () => {
    fc.assert(
      fc.property(anyServer, anyFleet, (server, settings) => {
        const { verdict, free } = judgeFit(server, settings)
        expect(free > 0 || verdict === 'warm' || verdict === 'impossible').toBe(true)
      }),
    )
  })

  it('gives a reason exactly when it is impossible', () => {
    fc.assert(
      fc.property(anyServer, anyFleet, (server, settings) => {
        const { verdict, reasons } = judgeFit(server, settings)
        expect(reasons.length > 0).toBe(verdict === 'impossible')
      }),
    )
  })

  it('more connections never make a fitting fleet impossible', () => {
    fc.assert(
      fc.property(anyServer, anyFleet, fc.integer({ min: 1, max: 100 }), (server, settings, more) => {
        fc.pre(settings.pooler === 'none' && judgeFit(server, settings).verdict !== 'impossible')
        expect(judgeFit({ ...server, maxConnections: server.maxConnections + more }, settings).verdict).not.toBe('impossible')
      }),
    )
  })

  it('containers keep as many as the guard lets them, and not one more', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 100 }), async (usable, percent) => {
        const mark = crowdedMark(usable, percent)
        expect(await guardIsCrowded({ sessions: mark, capacity: usable }, percent)).toBe(false)
        expect(await guardIsCrowded({ sessions: mark + 1, capacity: usable }, percent)).toBe(true)
      }),
    )
  })

  it('what is recommended fits whenever there are two connections', () => {
    fc.assert(
      fc.property(anyServer, fc.integer({ min: 1, max: 500 }), (server, containers) => {
        fc.pre(usableConnections(server) >= 2)
        const { settings, poolerSize, verdict } = recommend(server, { containers })
        expect(verdict).not.toBe('impossible')
        expect(judgeFit(server, settings).verdict).toBe(verdict)
        expect(judgeFit(server, { ...settings, pooler: 'transaction', poolerSize }).verdict).toBe('pooled')
      }),
    )
  })
})
