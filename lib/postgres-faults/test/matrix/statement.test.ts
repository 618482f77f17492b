import { describeRows } from '../../src/matrix/matrix.ts'
import { failsInBatch } from '../../src/matrix/rows/batch.ts'
import { conflict } from '../../src/matrix/rows/conflict.ts'
import { silentMidStatement, terminatedMidStatement } from '../../src/matrix/rows/statement.ts'
import { swallowedError } from '../../src/matrix/rows/swallowed.ts'

describeRows([terminatedMidStatement, silentMidStatement, conflict, swallowedError, failsInBatch])
