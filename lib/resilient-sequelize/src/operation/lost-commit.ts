import type { RetryBudget } from '../../../invocation/src/retry-budget.ts'
import { wait } from '../../../invocation/src/wait.ts'
import { classifyError } from '../errors/classify-error.ts'
import { CommitUnknownError, ResultLostError } from '../errors/errors.ts'
import { leaseConnection } from './lease-connection.ts'
import type { Done, Failed, Open, OperationOptions, OperationTools } from './context.ts'
import { canKnow, resolveCommit, type CommitOutcome } from '../transaction/commit-outcome.ts'
import type { GuardedClient } from '../wire/guarded-client.ts'
import type { Work } from './work.ts'

/** Tries a piece of work until it is done; past the breaker, since it belongs to an operation that was admitted. */
export type TryWork = <Result>(
  options: OperationOptions,
  tools: OperationTools,
  body: (work: Work, connection: GuardedClient) => Promise<Result>,
) => Promise<Result>

const LOOK_AGAIN_MS = 100
// Finding out is no replay of the work: the deadline bounds it, not the budget for those.
const UNBOUNDED: RetryBudget = { take: () => true, refill: () => undefined, tokens: Number.POSITIVE_INFINITY }

/**
 * COMMIT's answer was lost: finds out what became of it. First by the transaction's id, then, where the server cannot
 * tell any more, by a row that the work itself wrote.
 * @throws CommitUnknownError when neither proves anything before the deadline; then nothing is tried again.
 */
export async function settleLostCommit<Result>(
  outcome: Open<Result>,
  options: OperationOptions,
  tools: OperationTools,
  tryWork: TryWork,
): Promise<Done<Result> | Failed> {
  const { error, identity, result, afterCommit } = outcome
  const lease = () => leaseConnection(options, tools)
  const asked: CommitOutcome = identity === undefined ? { kind: 'unknown' } : await resolveCommit({ identity, deadline: options.deadline, lease })
  const proven =
    asked.kind === 'committed' || asked.kind === 'rolled-back' ? asked.kind : await provenByRow(outcome, options, tools, { tryWork, asked })
  tools.logger.warn({ event: 'database.commit.resolved', operation: options.name, outcome: proven, code: classifyError(error).code })
  switch (proven) {
    case 'committed':
      if (result === undefined) throw new ResultLostError({ cause: error })
      return { kind: 'done', result: result.value, afterCommit }
    case 'rolled-back':
      return {
        kind: 'failed',
        error,
        cause: error,
        verdict: classifyError(error),
        ofDatabase: true,
        aborted: options.signal.aborted,
        lost: undefined,
        identityRefused: false,
      }
    case 'unknown':
      throw new CommitUnknownError({ cause: error })
    default:
      return proven satisfies never
  }
}

async function provenByRow(
  { identity }: Pick<Open<unknown>, 'identity'>,
  options: OperationOptions,
  tools: OperationTools,
  { tryWork, asked }: { tryWork: TryWork; asked: CommitOutcome },
): Promise<'committed' | 'rolled-back' | 'unknown'> {
  const { deadline, signal, wasCommitted, name } = options
  if (wasCommitted === undefined) return 'unknown'
  const operation = { name: `${name}.was-committed`, mode: 'read', deadline, signal } as const
  let found: boolean | undefined
  // A row that is not there yet may still come, as long as nothing says that its transaction is over.
  const look = async (work: Work, connection: GuardedClient) => {
    const { systemId } = identity ?? {}
    const knows = asked.kind !== 'ended' || systemId === undefined || (await canKnow(connection, { ...asked, systemId }, deadline.remainingMs()))
    const isThere = await wasCommitted(work)
    if (isThere || knows) return isThere
    // The address may lead to another server by now.
    connection.destroySocket()
    throw new Error('a server that may not have replayed the row yet')
  }
  const undecided = () => found === undefined || (!found && asked.kind === 'unknown')
  while (undecided() && deadline.remainingMs() > 0 && !signal.aborted) {
    found = await tryWork(operation, { ...tools, budget: UNBOUNDED }, look).catch(() => undefined)
    if (undecided()) await wait(LOOK_AGAIN_MS, signal).catch(() => undefined)
  }
  if (found) return 'committed'
  // A row that is not there proves the contrary only once its transaction cannot commit any more.
  return found === false && asked.kind === 'ended' ? 'rolled-back' : 'unknown'
}
