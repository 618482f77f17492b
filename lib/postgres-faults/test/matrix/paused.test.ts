import { describeRows } from '../../src/matrix/matrix.ts'
import { endedWhilePaused, overrun } from '../../src/matrix/rows/paused.ts'

describeRows([endedWhilePaused, overrun])
