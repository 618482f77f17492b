import { lineOf } from '../../../doctl-project-schema/src/index.ts'
import { applicationFolderAt } from '../application-folder.ts'
import { command } from '../cli/options/check.ts'
import { check } from './pipeline.ts'

// What build.sh runs with --check: refuses a project that would not be deployed as it is meant. Warnings stop nothing.

command.readOrExit()
// build.sh runs this in its own folder, also for tests whose application is another.
const { problems } = await check(applicationFolderAt(process.cwd()), 'before-build')
for (const problem of problems) process.stderr.write(`problem ${lineOf(problem)}\n`)
process.exitCode = problems.length > 0 ? 1 : 0
