import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { parseProject, readEnvironmentFile } from '../../../doctl-project-schema/src/index.ts'
import { deploy, type DeployOptions } from '../../src/cli/deploy/deploy.ts'
import { findDoctl } from '../../src/cli/doctl/doctl.ts'
import { createDoctl } from './doctl.ts'
import { environmentFile, exampleVariables } from './environment-file.ts'
import { copyProject } from './project-copy.ts'

// Bundles of one line: what is under test is how they are deployed.
const BUILD = `#!/bin/bash
set -e
[ ! -e ../broken ] || { echo 'bundling'; echo 'cannot bundle index.ts:3' >&2; exit 7; }
for folder in ../packages/*/*/; do
  mkdir -p "$folder/dist"
  while read -r line; do
    case "$line" in dist/*) echo "exports.main = async input => ({ applied: [], alreadyApplied: $(cat ../known), input })" > "$folder/$line" ;; esac
  done < "$folder/.include"
done
`

/** How many migrations the deployed `ops/migrate` knows, unless a test writes something else into the file `known`. */
export const KNOWN = 8

type Doctl = ReturnType<typeof createDoctl>

interface DeployOutcome {
  readonly fine: boolean
  readonly text: string
  /** The first lines of what it found to be wrong. */
  readonly found: string[]
}

export interface DeployStage {
  /** A copy of the project of the tested application, fresh for each test. */
  readonly copy: ReturnType<typeof copyProject>
  /** A stand-in without any function, fresh for each test. */
  readonly doctl: Doctl
  run(options?: Partial<DeployOptions>): Promise<DeployOutcome>
  /** Lets a test begin after a deployment: one serves them all. */
  deployedBefore(): ReturnType<Doctl['read']>
}

/** The error that `ops/migrate` answers with, for the file `known`. */
export const answering = (error: object) => `0, error: ${JSON.stringify(error)}`

/** Lets the tests of a file deploy the tested application to a stand-in for the platform. */
export function useDeployStage(): DeployStage {
  const outside = { ...process.env }
  let copy: ReturnType<typeof copyProject>
  let doctl: Doctl
  let deployed: ReturnType<Doctl['read']> | undefined

  beforeAll(() => {
    copy = copyProject()
    copy.write('lib/build.sh', BUILD)
    chmodSync(join(copy.root, 'lib/build.sh'), 0o755)
  })
  beforeAll(async () => {
    useFresh()
    await run()
    deployed = doctl.read()
    end()
  })
  afterAll(() => copy[Symbol.dispose]())
  beforeEach(useFresh)
  afterEach(end)

  function useFresh(): void {
    copy.write('project.yml', copy.text)
    copy.write('.env', environmentFile({ ...exampleVariables(copy.text), WEBHOOK_SECRET_GITHUB: 'tell # nobody' }))
    copy.write('known', String(KNOWN))
    doctl = createDoctl()
    Object.assign(process.env, doctl.environment)
  }

  function end(): void {
    Object.assign(process.env, outside)
    doctl[Symbol.dispose]()
  }

  async function run(options: Partial<DeployOptions> = {}): Promise<DeployOutcome> {
    const lines: string[] = []
    const project = parseProject(
      readFileSync(join(copy.root, 'project.yml'), 'utf8'),
      readEnvironmentFile(readFileSync(join(copy.root, '.env'), 'utf8')),
    )
    const defaults = {
      doctl: findDoctl(copy.root),
      checkout: copy.root,
      project,
      environmentFile: '.env',
      migrations: undefined,
      allowBreaking: false,
    }
    const fine = await deploy({ ...defaults, print: line => lines.push(line), sleep: async () => undefined, ...options })
    return { fine, text: lines.join('\n'), found: lines.filter(line => /^(missing|different|left-over|unknown|failed) /.test(line)) }
  }

  return {
    get copy() {
      return copy
    },
    get doctl() {
      return doctl
    },
    run,
    deployedBefore() {
      if (deployed === undefined) throw new Error('nothing was deployed')
      doctl.write(deployed)
      return structuredClone(deployed)
    },
  }
}
