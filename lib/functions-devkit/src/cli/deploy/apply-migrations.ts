import * as z from 'zod/mini'
import { callFunction, readLog, type CallOutcome } from '../doctl/call.ts'
import type { Doctl } from '../doctl/doctl.ts'
import { logLines } from './log-lines.ts'
import { explainFailure } from './migration-failure.ts'

/** Applies the migrations. */
export const MIGRATE = 'ops/migrate'

export interface ApplyMigrationsOptions {
  readonly doctl: Doctl
  /** How many migrations this checkout has. */
  readonly known: number
  readonly allowBreaking: boolean
  /** The time limit of ops/migrate, in ms. */
  readonly timeoutMs: number
  readonly print: (line: string) => void
  readonly sleep?: (ms: number) => Promise<unknown>
}

const applied = z.object({ applied: z.array(z.string()), alreadyApplied: z.number() })

/** Calls ops/migrate once, prints what it applied or why it failed, and returns whether all migrations are applied. */
export async function applyMigrations({ doctl, known, allowBreaking, timeoutMs, print, ...tools }: ApplyMigrationsOptions): Promise<boolean> {
  const input = allowBreaking ? ['--param', 'allowBreaking:true'] : []
  const call = await callFunction({ doctl, name: MIGRATE, input, timeoutMs, ...tools })
  const answer = call.outcome === 'succeeded' ? applied.safeParse(call.result).data : undefined
  if (answer === undefined) {
    await printFailure(call, { doctl, print })
    return false
  }
  for (const name of answer.applied) print(`  applied ${name}`)
  const total = answer.applied.length + answer.alreadyApplied
  if (total === known) return true
  print(`different  ${MIGRATE}  has ${total} migrations, and this checkout has ${known}: an older bundle answers\n           → npm run deploy again`)
  return false
}

async function printFailure(call: CallOutcome, { doctl, print }: { doctl: Doctl; print: (line: string) => void }): Promise<void> {
  const log = call.outcome === 'failed' ? logLines(await readLog(doctl, call.id)) : []
  const { reason, cure } = explainFailure(call, log)
  print(`failed     ${MIGRATE}  ${reason}\n           → ${cure}`)
  for (const line of log) print(`  log: ${line}`)
}
