import { setTimeout as sleep } from 'node:timers/promises'
import { databaseGround } from '../ground.ts'
import { meets, withCommit, type Repetition } from '../repetition.ts'
import { type Row } from '../row.ts'
import { strikeAsleep } from '../sessions.ts'

const STATEMENT = 'in a statement'
const BETWEEN = 'between two statements'
const COMMIT_SENT = 'COMMIT on its way to it'
const COMMITTING = 'COMMIT being done'
const MOMENTS = [STATEMENT, BETWEEN, COMMIT_SENT, COMMITTING] as const
type Moment = (typeof MOMENTS)[number]

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGKILL'] as const
const FORMS = SIGNALS.flatMap(signal => MOMENTS.map(moment => ({ signal, moment, name: `${signal} ${moment}` })))

// A service manager starts it again at once; the process has to come up.
const AWAY_MS = 200
// Within the budget of what is safe-executed.
const SLEEP_MS = 250
/** Until the signal has arrived. */
const ARRIVES_MS = 50
/** Makes the next COMMIT take so long on the server, by a constraint that is looked at then; a sequence is not rolled back. */
const SLOW_COMMIT = `
  CREATE SEQUENCE looks;
  CREATE FUNCTION wait_once() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN IF nextval(''looks'') = 1 THEN PERFORM pg_sleep(0.4); END IF; RETURN NULL; END';
  CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON effects DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_once()`

/** The pooler is ended and started again while it lends a session to a transaction. */
export const poolerRestarted: Row = {
  number: 24,
  fault: 'PgBouncer restarted mid-transaction',
  variants: FORMS.map(({ name }) => name),
  // The pooler is away for a part of it, and a busy machine takes its time to start one.
  deadlineMs: 6_000,
  ground: databaseGround,
  async scenario(repetition) {
    const { call, pooler, variant } = repetition
    const form = FORMS.find(({ name }) => name === variant)
    if (pooler === undefined || form === undefined) throw new Error(`There is no pooler, or no variant ${variant}`)
    await call()
    let restarted: Promise<void> | undefined
    const restart = () => (restarted ??= pooler.restart(form.signal, AWAY_MS))
    await underway(repetition, form.moment, restart)
    // A kind of work that does not have the moment is over by now.
    await restart()
    await call()
  },
}

/** Makes the calls that the restart meets. */
async function underway({ call, database, applicationName, proxy, kind }: Repetition, moment: Moment, restart: () => Promise<void>): Promise<void> {
  // The graceful signal waits for the transaction, so that a transaction must not wait for its effect.
  const strike = async () => {
    void restart()
    await sleep(ARRIVES_MS)
  }
  switch (moment) {
    case STATEMENT:
      await strikeAsleep(database, applicationName, { begin: () => call({ sleepMs: SLEEP_MS }), strike })
      return
    case BETWEEN:
      await call({
        async extra(work, attempt) {
          if (attempt === 1) await strike()
          await work.query('SELECT 1')
        },
      })
      return
    case COMMIT_SENT: {
      const fault = proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'before', action: { delayMs: 2 * ARRIVES_MS } })
      const calling = call(withCommit(kind))
      if (await meets(calling, fault)) await strike()
      await calling
      return
    }
    case COMMITTING:
      await database.query(SLOW_COMMIT)
      await strikeAsleep(database, applicationName, { begin: () => call(withCommit(kind)), strike })
      return
    default:
      return moment satisfies never
  }
}
