import { describeRows } from '../support/chaos/matrix.ts'
import { commitAnswerLost, commitNeverArrives } from '../support/chaos/rows/commit.ts'

describeRows([commitNeverArrives, commitAnswerLost])
