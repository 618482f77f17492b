import { describeRows } from '../support/chaos/matrix.ts'
import { idUsedAgain } from '../support/chaos/rows/crash.ts'
import { readOnlyForAWhile } from '../support/chaos/rows/read-only.ts'
import { restartedUnderLoad } from '../support/chaos/rows/restart.ts'

describeRows([idUsedAgain, restartedUnderLoad, readOnlyForAWhile], { through: 'pooler' })
