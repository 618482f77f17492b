import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the consumer's folder is made when a test first needs it. */
    adoption: string
  }
}

/** Makes the folder that `consumer()` fills, outside of the repository, and removes it after the run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'adoption-'))
  project.provide('adoption', folder)
  return () => rm(folder, { recursive: true, force: true })
}
