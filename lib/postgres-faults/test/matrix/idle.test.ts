import { describeRows } from '../../src/matrix/matrix.ts'
import { closed } from '../../src/matrix/rows/closed.ts'
import { endedWhileIdle, silentWhileIdle } from '../../src/matrix/rows/idle.ts'

describeRows([endedWhileIdle, silentWhileIdle, closed])
