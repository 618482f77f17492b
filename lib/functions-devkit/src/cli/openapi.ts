import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
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
// In the application's own style, if it has one. Prettier leaves an object on as many lines as it finds.
const prettier = join(APPLICATION_FOLDER, 'node_modules/.bin/prettier')
const isStyled = existsSync(prettier)
writeFileSync(file, `${JSON.stringify(describeApi(description), undefined, isStyled ? 0 : 2)}\n`)
if (isStyled) execFileSync(prettier, ['--write', '--log-level', 'warn', file], { stdio: 'inherit' })
