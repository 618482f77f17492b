import { describeRows } from '../support/chaos/matrix.ts'
import { crowded } from '../support/chaos/rows/crowded.ts'
import { refusedForAWhile } from '../support/chaos/rows/refused.ts'

describeRows([refusedForAWhile, crowded])
