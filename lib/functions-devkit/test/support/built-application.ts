import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inject } from 'vitest'
import { bundleFunctions } from './bundle-functions.ts'
import { copyFiles, linkPackages } from './checkout.ts'
import { isOfRepository, REPOSITORY } from './tested-application.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder for the files that the tests of one run share. */
    runFolder: string
  }
}

/**
 * A checkout in which the functions of the tested application are built: the repository after `npm run build`, or, for the
 * application of the packages' tests, a copy that the first worker builds.
 */
export async function builtApplication(): Promise<string> {
  if (isOfRepository) return REPOSITORY
  const folder = join(inject('runFolder'), 'application')
  const done = join(folder, 'built')
  const failed = join(folder, 'failed')
  try {
    mkdirSync(folder)
  } catch {
    while (!existsSync(done)) {
      if (existsSync(failed)) throw new Error('another worker could not build the application of the tests')
      await sleep(50)
    }
    return folder
  }
  copyFiles(['build.sh', 'lib', 'package.json', 'package-lock.json', 'packages', 'project.yml'], folder)
  linkPackages(folder)
  try {
    bundleFunctions(folder)
    writeFileSync(done, '')
  } catch (error) {
    writeFileSync(failed, '')
    throw error
  }
  return folder
}
