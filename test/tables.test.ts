import { describePrunedTables } from '../lib/functions-devkit/test/support/pruned-tables.ts'

describePrunedTables()
