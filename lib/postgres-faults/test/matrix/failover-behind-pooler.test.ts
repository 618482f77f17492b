import { describeRows } from '../../src/matrix/matrix.ts'
import { logLost, standbyBehind } from '../../src/matrix/rows/failover.ts'

describeRows([standbyBehind, logLost], { through: 'pooler' })
