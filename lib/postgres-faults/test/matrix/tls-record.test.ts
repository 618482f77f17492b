import { describeRows } from '../../src/matrix/matrix.ts'
import { cutInsideRecord } from '../../src/matrix/rows/tls-record.ts'

describeRows([cutInsideRecord])
