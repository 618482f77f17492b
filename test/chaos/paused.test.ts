import { describeRows } from '../support/chaos/matrix.ts'
import { endedWhilePaused, overrun } from '../support/chaos/rows/paused.ts'

describeRows([endedWhilePaused, overrun])
