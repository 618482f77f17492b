import { describeRows } from '../support/chaos/matrix.ts'
import { closedBySomebody } from '../support/chaos/rows/closed.ts'
import { endedWhileIdle, silentWhileIdle } from '../support/chaos/rows/idle.ts'

describeRows([endedWhileIdle, silentWhileIdle, closedBySomebody])
