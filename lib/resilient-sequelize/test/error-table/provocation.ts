import { expect, it } from 'vitest'
import { classifyError } from '../../src/errors/classify-error.ts'
import { errorTable, type ConnectionAnswer } from '../../src/errors/table.ts'

/** One way to make the real thing fail as a row of the error table says. */
export interface Provocation<Stage> {
  /** Completes the sentence "<key> is met when …". */
  when: string
  /** Rejects with the error. */
  raise: (stage: Stage) => Promise<unknown>
  /** What becomes of the connection, where that differs from the row: after FATAL it is never kept. */
  connection?: ConnectionAnswer
  /** False where the machine cannot do it. */
  possible?: boolean
}

/** Ways to provoke, by the key of the row that they have to hit. */
export type Provocations<Stage> = Readonly<Record<string, readonly Provocation<Stage>[]>>

const linux = process.platform === 'linux'
if (!linux && process.env.CI) throw new Error('some errors can be provoked on Linux only: they cannot be left out here')
if (!linux) console.warn('SKIPPED: the errors that need the files of /proc and /dev of Linux')

/** For provocations by files that only Linux has. */
export const onLinux = { possible: linux }

/** Makes a test of every provocation: the error has to hit its row and get that row's answers. */
export function testProvocations<Stage>(provocations: Provocations<Stage>, stage: () => Stage): void {
  for (const [key, ways] of Object.entries(provocations)) {
    for (const { when, raise, connection, possible = true } of ways) {
      it.skipIf(!possible)(`${key} is met when ${when}`, async () => {
        const row = errorTable.find(each => each.key === key)
        const error = await rejectionOf(raise(stage()))
        const { transient, replay, outage, crowded } = row ?? {}
        const found = classifyError(error)
        expect(found, describe(error)).toMatchObject({ key, transient, replay, outage, crowded, connection: connection ?? row?.connection })
      })
    }
  }
}

async function rejectionOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('nothing failed')
}

function describe(error: unknown): string {
  return `${String(error)}, made from ${String((error as { original?: unknown }).original)}`
}
