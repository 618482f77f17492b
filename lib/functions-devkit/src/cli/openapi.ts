import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { application } from '../application.ts'
import { report } from '../server/report.ts'
import { describeApi } from '../../../functions-runtime/src/api/openapi.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm run openapi`: writes the contract anew; a test tells when that is due.
if (application.api === undefined) {
  report('This application describes no API: declare `api` in lib/app/project.ts')
  process.exit(2)
}
const { description, file: path } = application.api
const file = join(APPLICATION_FOLDER, path)
writeFileSync(file, JSON.stringify(describeApi(description)))
execFileSync('prettier', ['--write', '--log-level', 'warn', file], { stdio: 'inherit' })
