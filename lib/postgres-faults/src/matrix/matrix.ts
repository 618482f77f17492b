import { afterAll, describe, expect, inject, it, vi } from 'vitest'
import { withConnection } from '../../../functions-devkit/src/server/postgres/connection.ts'
import { hasPgBouncer } from '../pgbouncer.ts'
import { runCell } from './cell.ts'
import { type Row } from './row.ts'
import { formatTable, type Line } from './table.ts'
import { type Tally } from './tally.ts'
import { CHAOS_TIMES } from './times.ts'
import { type Through } from './way.ts'
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
export function describeRows(rows: readonly Row[], { through = 'direct' }: { through?: Through } = {}): void {
  vi.setConfig({ maxConcurrency: CELLS_AT_ONCE })
  const lines: Line[] = []
  afterAll(async () => {
    await Promise.all([...new Set(rows.map(row => row.ground))].map(async ground => ground?.stop?.()))
    if (lines.length > 0) console.log(`PostgreSQL ${await serverVersion()}, CHAOS_TIMES=${CHAOS_TIMES}\n${formatTable(lines)}`)
  })
  const possible = through === 'direct' || hasPgBouncer()
  const timeout = 2 * (CELL_MS + CHAOS_TIMES * CELL_MS_PER_TIME)
  for (const row of rows) {
    const fault = through === 'direct' ? row.fault : `${row.fault}, through PgBouncer`
    describe.skipIf(!possible)(`row ${row.number}, ${fault}`, { timeout, concurrent: true }, () => {
      it.for(kinds.map(kind => [WORDS[kind], kind] as const))(`row ${row.number}: a %s keeps its word`, async ([words, kind]) => {
        const tally = await runTwiceIfRefused(row, kind, through)
        lines.push({ row: `${row.number} ${fault}`, kind: words, tally })
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

async function serverVersion(): Promise<string> {
  const { rows } = await withConnection(inject('postgres'), 'postgres', client => client.query<{ server_version: string }>('SHOW server_version'))
  return rows[0]?.server_version ?? 'unknown'
}

// A machine that is starved for seconds lets deadlines pass that have nothing to do with the fault. What a caller was
// refused with a proper code may therefore be due to that, once; nothing else is ever looked at a second time.
async function runTwiceIfRefused(row: Row, kind: Kind, through: Through): Promise<Tally> {
  const tally = await runCell(row, kind, { through })
  const { lost, twice, hung, backendsLeft, uncoded, findings } = tally
  if (findings.length === 0 || lost + twice + hung + backendsLeft + uncoded > 0) return tally
  console.warn(`row ${row.number}, ${WORDS[kind]}, ${through}: refused, so that it is run again\n${findings.join('\n')}`)
  return runCell(row, kind, { through })
}
