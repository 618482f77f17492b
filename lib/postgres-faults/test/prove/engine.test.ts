import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { application } from '../../../functions-devkit/src/application.ts'
import { APPLICATION_FOLDER } from '../../../functions-devkit/src/application-folder.ts'
import { dataRootFor } from '../../../functions-devkit/src/server/postgres/data-root.ts'
import { proveAll, type Finding } from '../../src/prove/engine.ts'
import { FAULTS } from '../../src/prove/faults.ts'
import { openLane } from '../../src/prove/lane.ts'
import { describeFailure } from '../../src/prove/report.ts'
import { record, type Part } from '../../src/prove/record.ts'
import { openStage, type Stage } from '../../src/prove/stage.ts'

const EVERY = 10

let stage: Stage
let part: Part
beforeAll(async () => {
  stage = await openStage({
    checkout: APPLICATION_FOLDER,
    programsFolder: dataRootFor(resolve(import.meta.dirname, '../../../..')).folder,
    ways: ['direct'],
    ownServers: 2,
  })
  const operation = application.proofs.operations.find(({ name }) => name === 'webhook applied')
  if (operation === undefined) throw new Error('the application of the tests declares no proof')
  part = await record(openLane(stage, stage.shared), operation, 'direct')
})
afterAll(() => stage.close())

async function prove(options: Partial<Parameters<typeof proveAll>[0]>): Promise<Finding[]> {
  const findings: Finding[] = []
  await proveAll({
    stage,
    parts: [part],
    faults: FAULTS,
    isSelected: () => true,
    sharedLanes: 6,
    signal: new AbortController().signal,
    onFinding: finding => void findings.push(finding),
    ...options,
  })
  return findings
}

describe('the cut points of a webhook', () => {
  it('begin with the first byte and hold a commit', () => {
    expect(part.messages[0]).toMatchObject({ connection: 1, from: 'client', message: 0 })
    expect(part.messages.filter(({ statement }) => statement === 'COMMIT')).toHaveLength(1)
    expect(part.points.length).toBeGreaterThan(part.messages.length)
  })

  it('lose and double nothing under any fault', async () => {
    const selected = part.points.filter(({ number }) => number % EVERY === 1)
    const findings = await prove({ isSelected: number => number % EVERY === 1 })
    expect(findings.filter(({ reached, problems }) => !reached || problems.length > 0).map(describeFailure)).toEqual([])
    expect(new Set(findings.map(({ point, fault }) => `${point.number} ${fault}`)).size).toBe(selected.length * FAULTS.length)
  })

  it('show an effect that nothing has applied', async () => {
    const effects = 'SELECT id, 0 AS times FROM unnest($1::text[]) AS ids (id)'
    const [finding] = await prove({
      parts: [{ ...part, operation: { ...part.operation, effects } }],
      isSelected: number => number === 1,
      faults: ['reset'],
    })
    expect(finding?.problems.map(({ kind }) => kind)).toContain('lost')
  })

  it('report a point that a run never comes to', async () => {
    const nowhere = { number: 1, connection: 9, from: 'client', message: 0, inside: false } as const
    const [finding] = await prove({ parts: [{ ...part, points: [nowhere] }], faults: ['reset'] })
    expect(finding).toMatchObject({ reached: false, problems: [] })
  })

  it('end soon after an interruption', async () => {
    const interrupted = new AbortController()
    const findings: Finding[] = []
    await prove({ signal: interrupted.signal, onFinding: finding => (findings.push(finding), interrupted.abort()) })
    expect(findings.length).toBeGreaterThan(0)
    expect(findings.length).toBeLessThan(part.points.length)
  })
})
