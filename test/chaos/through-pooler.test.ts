import { describeRows } from '../support/chaos/matrix.ts'
import { closedBySomebody } from '../support/chaos/rows/closed.ts'
import { commitAnswerLost, commitNeverArrives } from '../support/chaos/rows/commit.ts'
import { conflict } from '../support/chaos/rows/conflict.ts'
import { crowded } from '../support/chaos/rows/crowded.ts'
import { fullPooler } from '../support/chaos/rows/full-pooler.ts'
import { endedWhileIdle, silentWhileIdle } from '../support/chaos/rows/idle.ts'
import { endedWhilePaused, overrun } from '../support/chaos/rows/paused.ts'
import { refusedForAWhile } from '../support/chaos/rows/refused.ts'
import { silentMidStatement, terminatedMidStatement } from '../support/chaos/rows/statement.ts'
import { swallowedError } from '../support/chaos/rows/swallowed.ts'

// No row is without a meaning here: the rows that need a server of their own are in server-behind-pooler.test.ts. Where a
// row's fault strikes between the proxy and the pooler, what is asked is whether the server's session, which outlives
// the connection, is left clean; where it strikes on the server, whether the pooler's words for it are understood.
describeRows(
  [
    endedWhileIdle,
    endedWhilePaused,
    terminatedMidStatement,
    commitNeverArrives,
    commitAnswerLost,
    refusedForAWhile,
    silentWhileIdle,
    silentMidStatement,
    closedBySomebody,
    crowded,
    fullPooler,
    overrun,
    conflict,
    swallowedError,
  ],
  { through: 'pooler' },
)
