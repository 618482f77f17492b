import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeApi } from '../../../functions-runtime/src/api/openapi.ts'

// `npm run openapi`: writes the contract anew; a test tells when that is due.
const file = join(import.meta.dirname, '../../../app/api/openapi.json')
writeFileSync(file, JSON.stringify(describeApi()))
execFileSync('prettier', ['--write', '--log-level', 'warn', file], { stdio: 'inherit' })
