import { describeRows } from '../support/chaos/matrix.ts'
import { conflict } from '../support/chaos/rows/conflict.ts'
import { silentMidStatement, terminatedMidStatement } from '../support/chaos/rows/statement.ts'
import { swallowedError } from '../support/chaos/rows/swallowed.ts'

describeRows([terminatedMidStatement, silentMidStatement, conflict, swallowedError])
