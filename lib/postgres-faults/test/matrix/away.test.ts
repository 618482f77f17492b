import { describeRows } from '../../src/matrix/matrix.ts'
import { crowded } from '../../src/matrix/rows/crowded.ts'
import { refusedForAWhile } from '../../src/matrix/rows/refused.ts'

describeRows([refusedForAWhile, crowded])
