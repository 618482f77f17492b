import { describeRows } from '../../src/matrix/matrix.ts'
import { failsInBatch } from '../../src/matrix/rows/batch.ts'
import { closed } from '../../src/matrix/rows/closed.ts'
import { commitAnswerLost, commitNeverArrives } from '../../src/matrix/rows/commit.ts'
import { conflict } from '../../src/matrix/rows/conflict.ts'
import { crowded } from '../../src/matrix/rows/crowded.ts'
import { fullPooler } from '../../src/matrix/rows/full-pooler.ts'
import { frozenInRequest } from '../../src/matrix/rows/frozen.ts'
import { hangsUp } from '../../src/matrix/rows/hang-up.ts'
import { endedWhileIdle, silentWhileIdle } from '../../src/matrix/rows/idle.ts'
import { endedWhilePaused, overrun } from '../../src/matrix/rows/paused.ts'
import { poolerRestarted } from '../../src/matrix/rows/pooler-restart.ts'
import { refusedForAWhile } from '../../src/matrix/rows/refused.ts'
import { otherSettings } from '../../src/matrix/rows/settings.ts'
import { silentMidStatement, terminatedMidStatement } from '../../src/matrix/rows/statement.ts'
import { swallowedError } from '../../src/matrix/rows/swallowed.ts'
import { cutInsideRecord } from '../../src/matrix/rows/tls-record.ts'

// Every row has a meaning here; those that need servers of their own are in server-behind-pooler.test.ts and
// failover-behind-pooler.test.ts. Where a fault strikes between the proxy and the pooler, the question is whether the
// server's session, which outlives the connection, is left clean; where it strikes on the server, whether the pooler's
// words for it are understood.
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
    closed,
    crowded,
    fullPooler,
    overrun,
    conflict,
    swallowedError,
    hangsUp,
    otherSettings,
    failsInBatch,
    cutInsideRecord,
    poolerRestarted,
    frozenInRequest,
  ],
  { through: 'pooler' },
)
