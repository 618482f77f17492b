import { describeRows } from '../../src/matrix/matrix.ts'
import { commitAnswerLost, commitNeverArrives } from '../../src/matrix/rows/commit.ts'
import { hangsUp } from '../../src/matrix/rows/hang-up.ts'

describeRows([commitNeverArrives, commitAnswerLost, hangsUp])
