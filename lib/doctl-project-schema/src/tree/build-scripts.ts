import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { type Problem, treeProblem } from '../problem.ts'
import { entriesOf, isFile, kindAt } from './folder.ts'
import { isProduct, readIncludeFile } from './include-file.ts'

/** Whether the deployer will find its build hook, be allowed to run it, and not be kept from it. */
export function buildScriptProblems(root: string, functionFolders: readonly string[]): Problem[] {
  const problems: Problem[] = []
  const lib = new Set(entriesOf(root, 'lib').map(({ name }) => name))
  for (const name of ['.include', '.ignore']) if (lib.has(name)) problems.push(treeProblem('lib-include', `lib/${name}`, { detail: name }))
  if (lib.has('.built')) problems.push(treeProblem('build-marker', 'lib/.built'))

  const scripts = ['build.sh', 'lib/build.sh', ...functionFolders.map(folder => `${folder}/build.sh`)]
  for (const script of scripts) {
    if (isFile(root, script) && !isExecutable(join(root, script))) problems.push(treeProblem('not-executable', script, { detail: script }))
  }

  if (!isFile(root, 'lib/build.sh') && !isFile(root, 'lib/package.json')) {
    const unbuilt = functionFolders.find(
      folder => kindAt(root, `${folder}/build.sh`) === undefined && readIncludeFile(root, folder).some(entry => isProduct(entry)),
    )
    if (unbuilt) problems.push(treeProblem('build-hook-missing', 'lib', { detail: `${unbuilt}/.include` }))
  }
  return problems
}

function isExecutable(path: string): boolean {
  // Windows has no run bit to look at.
  if (process.platform === 'win32') return true
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
