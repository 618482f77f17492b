import { afterAll, describe, expect, it, vi } from 'vitest'
import { runCell } from './cell.ts'
import { type Row } from './row.ts'
import { formatTable, type Line } from './table.ts'
import { CHAOS_TIMES } from './times.ts'
import { kinds, type Kind } from './workloads.ts'

// A cell waits most of its time, so all of a file's cells run at once; lanes keep that within bounds.
const CELLS_AT_ONCE = 64
const CELL_MS = 60_000
const CELL_MS_PER_TIME = 30_000
const WORDS: Readonly<Record<Kind, string>> = {
  read: 'read',
  write: 'single write',
  transaction: 'transaction of three writes',
  logged: 'write with a safe-executed log inside',
}

/** Makes a test of each cell of these rows, and prints their table at the end. */
export function describeRows(rows: readonly Row[]): void {
  vi.setConfig({ maxConcurrency: CELLS_AT_ONCE })
  const lines: Line[] = []
  afterAll(async () => {
    await Promise.all([...new Set(rows.map(row => row.ground))].map(async ground => ground?.stop?.()))
    console.log(`CHAOS_TIMES=${CHAOS_TIMES}\n${formatTable(lines)}`)
  })
  for (const row of rows) {
    describe.concurrent(`row ${row.number}, ${row.fault}`, { timeout: CELL_MS + CHAOS_TIMES * CELL_MS_PER_TIME }, () => {
      it.for(kinds.map(kind => [WORDS[kind], kind] as const))(`row ${row.number}: a %s keeps its word`, async ([words, kind]) => {
        const tally = await runCell(row, kind)
        lines.push({ row: `${row.number} ${row.fault}`, kind: words, tally })
        const { lost, twice, hung, backendsLeft, uncoded, findings } = tally
        expect({ lost, twice, hung, backendsLeft, uncoded, findings }).toEqual({
          lost: 0,
          twice: 0,
          hung: 0,
          backendsLeft: 0,
          uncoded: 0,
          findings: [],
        })
        expect(tally.calls).toBeGreaterThan(0)
      })
    })
  }
}
