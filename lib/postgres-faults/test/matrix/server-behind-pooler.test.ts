import { describeRows } from '../../src/matrix/matrix.ts'
import { asynchronousCommit } from '../../src/matrix/rows/asynchronous.ts'
import { idUsedAgain } from '../../src/matrix/rows/crash.ts'
import { readOnlyForAWhile } from '../../src/matrix/rows/read-only.ts'
import { restartedUnderLoad } from '../../src/matrix/rows/restart.ts'

describeRows([idUsedAgain, restartedUnderLoad, readOnlyForAWhile, asynchronousCommit], { through: 'pooler' })
