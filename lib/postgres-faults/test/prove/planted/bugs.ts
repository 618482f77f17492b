import type { Problem } from '../../../src/prove/checker.ts'
import type { History } from '../../../src/prove/history.ts'
import type { FunctionName, Mutation } from './build.ts'
import {
  answeredWhileBusy,
  bufferedAndDrained,
  commitAnswerLost,
  committedInTwo,
  crashBeforeCommit,
  deferredAndTried,
  deferredUntilLeaseEnds,
  failoverBehindCommit,
  killedInHandler,
  timedOutAfterCommit,
} from './scenarios.ts'
import type { Functions } from './stage.ts'

/** A bug of the kind that prove is for. */
export interface PlantedBug {
  /** What is wrong, as a clause. */
  readonly bug: string
  readonly mutations: readonly Mutation[]
  readonly functions: readonly FunctionName[]
  /** The smallest run that shows it. */
  readonly scenario: (functions: Functions) => Promise<History>
  readonly kind: Problem['kind']
  /** Whether schedules of a seed show it soon, without the scenario. */
  readonly isDrawn?: boolean
  /** A program without which the scenario cannot run. */
  readonly needs?: 'redis'
}

const TAKE = 'lib/webhook-inbox/src/inbox/take.ts'
const ATTEMPTS = 'lib/webhook-inbox/src/inbox/attempts.ts'
const DRAIN = 'lib/webhook-inbox/src/buffer/drain.ts'
const LOST_COMMIT = 'lib/resilient-sequelize/src/operation/lost-commit.ts'
const COMMIT_OUTCOME = 'lib/resilient-sequelize/src/transaction/commit-outcome.ts'
const CREATE_ONCE = 'lib/functions-runtime/src/api/create-row-once.ts'

const TAKE_OUT = "  await redis.send('EVAL', TAKE_OUT, '2', STREAM, BYTES, GROUP, entry.id, entry.size)\n"
const TAKEN = '  const taken = await takeDelivery(delivery, {'
const ROW_ID = 'const id = claim === undefined ? uuidv7() : rowIdOf(claim)'
const CREATE_FAILED = '    if (isClaiming && error instanceof DeadlineExceededError) throw requestInProgress(error)\n'

export const bugs: readonly PlantedBug[] = [
  {
    bug: 'the mark is set before the effect',
    mutations: [
      {
        file: ATTEMPTS,
        text: "return await database.execute('webhook.attempt', work => apply(delivery, { id, lease }, work, options), {",
        by: `const mark = { id, lease, outcome: 'applied', type: delivery.event.type, concerns: delivery.concerns }
          await database.execute('webhook.mark', work => work.query(MARK, mark), { ...UNDER_LOCK, deadline: options.deadline })
          return await database.execute('webhook.attempt', work => runHandler(delivery, work, options).then(() => 'applied'), {`,
      },
    ],
    functions: ['webhook', 'maintenance'],
    scenario: deferredAndTried,
    kind: 'lost',
  },
  {
    bug: 'a lost COMMIT is repeated without asking',
    mutations: [
      {
        file: LOST_COMMIT,
        text: "identity === undefined ? { kind: 'unknown' } : await resolveCommit({ identity, deadline: options.deadline, lease })",
        by: "{ kind: 'rolled-back' }",
      },
    ],
    functions: ['user'],
    scenario: commitAnswerLost,
    kind: 'twice',
  },
  {
    bug: 'the claim is outside of the transaction',
    mutations: [
      {
        file: TAKE,
        text: "return await database.execute('webhook.apply', work => apply(delivery, state, options, work), {",
        by: `const claiming = work => claimEvent({ id: state.id, delivery, keys: options.keys }, work)
          const claim = await database.execute('webhook.claim', claiming, { ...UNDER_LOCK, deadline })
          if (claim.outcome === 'duplicate') return duplicateOf(claim.known)
          return await database.execute('webhook.apply', work => runHandler(delivery, work, options).then(() => ({ outcome: 'applied' })), {`,
      },
    ],
    functions: ['webhook'],
    scenario: killedInHandler,
    kind: 'lost',
    isDrawn: true,
  },
  {
    bug: 'a transaction id is believed after a crash',
    mutations: [
      {
        file: COMMIT_OUTCOME,
        text: "return isSameIncarnation(verdict, identity) || isReplayed(verdict, identity) ? { kind: 'committed' } : ended",
        by: "return { kind: 'committed' }",
      },
    ],
    functions: ['webhook'],
    scenario: crashBeforeCommit,
    kind: 'lost',
  },
  {
    bug: 'a transaction id is believed of a standby',
    mutations: [{ file: COMMIT_OUTCOME, text: "CASE WHEN pg_is_in_recovery() THEN 'standby' WHEN", by: 'CASE WHEN' }],
    functions: ['user'],
    scenario: failoverBehindCommit,
    kind: 'twice',
  },
  {
    bug: 'the lease is longer than the run',
    mutations: [
      {
        file: ATTEMPTS,
        text: 'const leaseMs = Math.min(LONGEST_LEASE_MS, deadline.remainingMs())',
        by: 'const leaseMs = LONGEST_LEASE_MS',
      },
    ],
    functions: ['webhook', 'maintenance'],
    scenario: deferredUntilLeaseEnds,
    kind: 'lost',
  },
  {
    bug: 'a buffered entry is deleted before it is claimed',
    mutations: [
      { file: DRAIN, text: TAKE_OUT, by: '' },
      { file: DRAIN, text: TAKEN, by: `${TAKE_OUT}${TAKEN}` },
    ],
    functions: ['webhook', 'maintenance'],
    scenario: bufferedAndDrained,
    kind: 'lost',
    needs: 'redis',
  },
  {
    bug: 'the effect runs outside of the unit',
    mutations: [
      {
        file: TAKE,
        text: 'export async function takeDelivery(',
        by: "const outside = require('node:async_hooks').AsyncLocalStorage.snapshot()\nexport async function takeDelivery(",
      },
      {
        file: TAKE,
        text: 'const effect = await runHandler(delivery, work, tools)',
        by: `const effecting = own => runHandler(delivery, own, tools)
          const effect = await outside(() => tools.database.execute('webhook.effect', effecting, { deadline: tools.deadline }))`,
      },
    ],
    functions: ['webhook'],
    scenario: committedInTwo,
    kind: 'twice',
  },
  {
    bug: 'a duplicate is answered before the first commit',
    mutations: [
      {
        file: TAKE,
        text: "if (holder === 'delivery') return { outcome: 'in-progress', error }",
        by: "if (holder === 'delivery') return { outcome: 'duplicate', first: 'applied', otherBody: false }",
      },
    ],
    functions: ['webhook'],
    scenario: answeredWhileBusy,
    kind: 'lost',
  },
  {
    bug: 'an idempotency key is freed on a timeout',
    mutations: [
      {
        file: CREATE_ONCE,
        text: 'export async function createRowOnce<',
        by: 'const freed = new Set<string>()\nexport async function createRowOnce<',
      },
      { file: CREATE_ONCE, text: ROW_ID, by: ROW_ID.replace('claim === undefined', 'claim === undefined || freed.delete(claim.key)') },
      {
        file: CREATE_ONCE,
        text: CREATE_FAILED,
        by: `    if (claim && (error.retryable || error.code === 'commit-unknown')) freed.add(claim.key)\n${CREATE_FAILED}`,
      },
    ],
    functions: ['orders'],
    scenario: timedOutAfterCommit,
    kind: 'twice',
  },
]
