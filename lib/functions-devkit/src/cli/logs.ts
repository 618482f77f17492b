import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { functionsOf, parseProject, placeholderEnvironment } from '../../../doctl-project-schema/src/index.ts'
import { logHint } from './logs/hint.ts'
import { command } from './options/logs.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm run logs`: where the lines of the functions are to be found.

command.readOrExit()
const project = join(APPLICATION_FOLDER, 'project.yml')
const text = existsSync(project) ? readFileSync(project, 'utf8') : 'packages: []'
console.log(logHint(functionsOf(parseProject(text, placeholderEnvironment(text)))))
