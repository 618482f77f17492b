import { describeRows } from '../../src/matrix/matrix.ts'
import { frozenInRequest } from '../../src/matrix/rows/frozen.ts'
import { endedWhilePaused, overrun } from '../../src/matrix/rows/paused.ts'

describeRows([endedWhilePaused, overrun, frozenInRequest])
