import { describeRows } from '../../src/matrix/matrix.ts'
import { commitAnswerLost, commitNeverArrives } from '../../src/matrix/rows/commit.ts'

describeRows([commitNeverArrives, commitAnswerLost])
