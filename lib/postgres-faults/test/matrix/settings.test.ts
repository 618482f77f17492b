import { describeRows } from '../../src/matrix/matrix.ts'
import { otherSettings } from '../../src/matrix/rows/settings.ts'

describeRows([otherSettings])
