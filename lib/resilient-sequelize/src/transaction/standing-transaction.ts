import type { Sequelize, TransactionOptions } from 'sequelize'
import { currentDeadline } from '../../../invocation/src/deadline-scope.ts'
import { openDeadline, type Deadline } from '../../../invocation/src/deadline.ts'
import { CodedError } from '../../../invocation/src/errors.ts'
import { MAX_REPLAYS, untilReplay } from '../../../invocation/src/retry.ts'
import { annotate } from '../errors/annotate.ts'
import { classifyError } from '../errors/classify-error.ts'
import { CommitUnknownError, DatabaseUnavailableError, NestedOperationError, TransactionRolledBackError } from '../errors/errors.ts'
import { isRefusal } from '../errors/is-refusal.ts'
import { leaseConnection } from '../operation/lease-connection.ts'
import { hasIsolation, isolationLevels } from '../operation/work.ts'
import { isFresh, lookMs, type Lease } from '../pool/lease.ts'
import { refuseForeign, runtimeOf, unitOf, type Runtime } from '../runtime.ts'
import { wasNotSent } from '../wire/pg-internals.ts'
import { beginMethodsOf, internalsOf, takeAfterCommitHooks, transactionInternals, type TransactionClass } from '../wire/sequelize-internals.ts'
import { resolveCommit, type CommitOutcome } from './commit-outcome.ts'
import { OpenTransaction } from './open-transaction.ts'

const NAME = 'sequelize.transaction'
// Without a deadline: how long it is asked what became of a COMMIT whose answer was lost.
const QUESTION_MS = 10_000
const UNKNOWN: CommitOutcome = { kind: 'unknown' }

/**
 * Sequelize's transaction on a pool that may be replaced: START TRANSACTION is answered first and is the only part that is
 * repeated; a COMMIT whose answer was lost is decided; one that the server answered with ROLLBACK is an error; callbacks of
 * `afterCommit` run only after a confirmed commit. Within a unit of work it is a savepoint.
 */
export function makeStandingTransaction(Base: TransactionClass): TransactionClass {
  const prototype = beginMethodsOf(Base)
  class StandingTransaction extends Base {
    #lease: Lease | undefined
    #guard: OpenTransaction | undefined

    constructor(sequelize: Sequelize, options: TransactionOptions = {}) {
      super(sequelize, withinUnit(sequelize, options))
    }

    async prepareEnvironment(useCLS = true): Promise<void> {
      const internals = transactionInternals(this)
      const { sequelize, parent } = internals
      if (!parent) await this.#start(runtimeOf(sequelize))
      else {
        refuseForeign(sequelize, parent)
        internals.connection = transactionInternals(parent).connection
        await prototype.begin.call(this)
      }
      if (useCLS) runtimeOf(sequelize).enterNamespace(this)
    }

    override async commit(): Promise<void> {
      const internals = transactionInternals(this)
      if (internals.finished) throw new Error(`Transaction cannot be committed because it has been finished with state: ${internals.finished}`)
      if (!internals.parent) await this.#commit()
      internals.finished = 'commit'
      const callbacks = takeAfterCommitHooks(this)
      for (const callback of callbacks) {
        if (!internals.parent) await callback.call(this, this)
        // A savepoint's work is not committed before the transaction around it is.
        else internals.parent.afterCommit(() => callback.call(this, this) as void | Promise<void>)
      }
    }

    override async rollback(): Promise<void> {
      const internals = transactionInternals(this)
      if (internals.finished) throw new Error(`Transaction cannot be rolled back because it has been finished with state: ${internals.finished}`)
      if (internals.connection === undefined) throw new Error('Transaction cannot be rolled back because it never started')
      const send = () => internalsOf(internals.sequelize).getQueryInterface().rollbackTransaction(this, internals.options)
      if (internals.parent) {
        await send()
        return
      }
      const guard = this.#guard
      internals.finished = 'rollback'
      try {
        // The server rolls back by itself what lost its connection.
        if (guard?.isLost) return this.forceCleanup()
        internals.finished = undefined
        guard?.ends('rolling-back')
        await send()
        if (internals.connection.getTransactionStatus() === 'I') this.cleanup()
        else this.forceCleanup()
      } catch (error) {
        this.forceCleanup()
        if (classifyError(error).connection !== 'drop') throw error
      }
    }

    cleanup(): void {
      this.#giveBack(lease => lease.release())
    }

    forceCleanup(): void {
      this.#giveBack(lease => lease.destroy())
    }

    #giveBack(give: (lease: Lease) => void): void {
      const { connection } = transactionInternals(this)
      const lease = this.#lease
      if (lease === undefined) return
      this.#lease = undefined
      runtimeOf(transactionInternals(this).sequelize).leaveNamespace(this)
      if (connection !== undefined) connection.uuid = undefined
      give(lease)
    }

    async #start(runtime: Runtime): Promise<void> {
      const { manager, executor } = runtime
      const given = currentDeadline()
      const deadline = given ?? openDeadline({ remainingMs: runtime.acquireMs, reserveMs: 0 })
      const options = { name: NAME, mode: 'write', deadline, signal: deadline.signal } as const
      const { tools } = executor
      const admission = manager.breaker.admit()
      try {
        if (!admission.admitted) throw new DatabaseUnavailableError({ retryAfterMs: admission.retryAfterMs })
        for (let replays = 0; ; replays += 1) {
          const lease = await leaseConnection({ ...options, prove: admission.probe }, tools, { unproven: true })
          const met = await this.#begin(lease, runtime, {
            deadline: given,
            durable: tools.durable,
            proofMs: isFresh(lease.connection, manager.now()) ? undefined : lookMs(deadline),
          })
          if (met === undefined) break
          const { transient, replay, maxReplays = MAX_REPLAYS, slow = false } = classifyError(met.error)
          manager.noteFailure(met.error)
          const most = transient && replay !== 'no' ? maxReplays : 0
          const { budget, random } = tools
          if (!(await untilReplay(replays, { deadline, signal: deadline.signal, maxReplays: most, budget, slow, random }))) throw met.error
        }
        manager.noteSuccess()
        manager.breaker.settleAnswered(admission.epoch)
      } catch (error) {
        if (admission.admitted) {
          if (classifyError(error).outage || error instanceof DatabaseUnavailableError) manager.breaker.settleOutage(admission.epoch)
          else manager.breaker.settleUnknown(admission.epoch)
        }
        throw annotate(error, runtime.errors)
      } finally {
        if (given === undefined) deadline.clear()
      }
    }

    async #begin(
      lease: Lease,
      { manager }: Runtime,
      { deadline, proofMs, durable }: { deadline: Deadline | undefined; proofMs: number | undefined; durable: boolean },
    ): Promise<{ error: unknown } | undefined> {
      const internals = transactionInternals(this)
      const { connection } = lease
      const guard = new OpenTransaction({
        deadline,
        proofMs,
        durable,
        pooled: lease.generation.transactionLimits !== undefined,
        identity: manager.identifiesTransactions ? (manager.hasIdentified ? 'tried' : 'untried') : 'no',
        onIdentity: ({ pid }) => manager.noteSession(lease, pid),
        onIdentityRefused: () => manager.stopIdentifyingTransactions(),
        behindCommit: manager.sendBehindCommit,
      })
      connection.guard = guard
      internals.connection = connection
      connection.uuid = internals.id
      lease.generation.types.prefetch(connection)
      try {
        await prototype.begin.call(this)
        await prototype.setDeferrable.call(this)
        guard.opened()
        this.#guard = guard
        this.#lease = lease
        return undefined
      } catch (error) {
        connection.uuid = undefined
        internals.connection = undefined
        lease.destroy()
        if (proofMs !== undefined && classifyError(error).connection === 'drop') manager.noteDeadConnection()
        return { error }
      }
    }

    async #commit(): Promise<void> {
      const internals = transactionInternals(this)
      const runtime = runtimeOf(internals.sequelize)
      const guard = this.#guard
      if (guard === undefined) throw new Error('Transaction cannot be committed because it never started')
      try {
        await guard.settled()
        // Over a connection that is known to be gone nothing is sent: what was not asked for cannot have been committed.
        if (guard.isLost) throw new DatabaseUnavailableError({ retryAfterMs: 0, cause: guard.firstError })
        guard.ends('committing')
        await internalsOf(internals.sequelize).getQueryInterface().commitTransaction(this, internals.options)
      } catch (error) {
        internals.finished = 'commit'
        const { original = error } = error as { original?: unknown }
        const refused = isRefusal(original)
        if (refused && internals.connection?.getTransactionStatus() === 'I') this.cleanup()
        else this.forceCleanup()
        if (guard.commitSent && !refused && !wasRefusedHere(original) && (await this.#wasCommitted(runtime, guard, original))) return
        throw annotate(error, runtime.errors)
      }
      this.cleanup()
      if (guard.endedBy !== 'COMMIT') throw annotate(new TransactionRolledBackError({ cause: guard.firstError }), runtime.errors)
    }

    /** @throws an annotated error when it was rolled back, or when nothing proves either. */
    async #wasCommitted(runtime: Runtime, guard: OpenTransaction, cause: unknown): Promise<boolean> {
      if (guard.wroteNothing) return true
      const { identity } = guard
      const { manager, executor, errors, logger } = runtime
      const given = currentDeadline()
      const deadline = given ?? openDeadline({ remainingMs: QUESTION_MS, reserveMs: 0 })
      try {
        const options = { name: NAME, mode: 'write', deadline, signal: deadline.signal } as const
        const lease = () => leaseConnection(options, executor.tools)
        const { kind: outcome } = identity === undefined ? UNKNOWN : await resolveCommit({ identity, deadline, lease })
        logger.warn({ event: 'database.commit.resolved', operation: NAME, outcome, code: classifyError(cause).code })
        if (outcome === 'committed') {
          manager.noteSuccess()
          return true
        }
        throw annotate(
          outcome === 'rolled-back' ? new DatabaseUnavailableError({ retryAfterMs: 0, cause }) : new CommitUnknownError({ cause }),
          errors,
        )
      } finally {
        if (given === undefined) deadline.clear()
      }
    }
  }
  return Object.defineProperty(StandingTransaction, 'name', { value: Base.name })
}

/** @throws NestedOperationError when the unit's transaction does not have what is asked for. */
function withinUnit(sequelize: Sequelize, options: TransactionOptions): TransactionOptions {
  if (options.transaction !== undefined && options.transaction !== null) return options
  const unit = unitOf(runtimeOf(sequelize))
  if (unit === undefined) return options
  if (unit.mode === 'read') throw new NestedOperationError('A transaction was asked for within a read, whose statements have one each.')
  const asked = isolationLevels.find(level => level === (options.isolationLevel as string | undefined))
  if (asked !== undefined && !hasIsolation(unit.isolation, asked))
    throw new NestedOperationError('More isolation was asked for than the transaction around this has.')
  return { ...options, transaction: unit.work.transaction }
}

// pg refuses a connection that it knows to be dead, and our own deadline one that would answer too late.
function wasRefusedHere(error: unknown): boolean {
  return error instanceof CodedError || wasNotSent(error)
}
