import { describeRows } from '../../src/matrix/matrix.ts'
import { closedBySomebody } from '../../src/matrix/rows/closed.ts'
import { endedWhileIdle, silentWhileIdle } from '../../src/matrix/rows/idle.ts'

describeRows([endedWhileIdle, silentWhileIdle, closedBySomebody])
