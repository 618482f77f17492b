import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { startContainer, type Container, type ContainerOptions } from '../../../src/server/containers/container.ts'
import { type OutputLine } from '../../../src/server/containers/output.ts'
import { writeRuntime } from '../../../src/server/containers/program.ts'
import { endLeftovers, openRecords, type ContainerRecords } from '../../../src/server/containers/records.ts'
import { createContext } from '../../../src/server/platform/context.ts'
import { type CallEnd } from '../../../src/server/platform/response.ts'

export interface Bench {
  /** A new folder for each file of tests, removed at its end. */
  readonly folder: string
  readonly program: string
  readonly home: string
  readonly recordsFolder: string
  readonly records: ContainerRecords
  /** What the containers of the current test have printed. */
  readonly lines: OutputLine[]
  /** Writes a function's folder as the build leaves it, and returns it. */
  write(source: string, name?: string): string
  /** A container whose index.js is the given CommonJS source. */
  start(source: string, options?: Partial<ContainerOptions>): Promise<Container>
}

/** Lets the tests of a file start containers, which are ended after each test. */
export function useContainers(): Bench {
  let root = ''
  let records: ContainerRecords
  let sources = 0
  const lines: Bench['lines'] = []
  const path = (name: string) => join(root, name)

  beforeAll(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'containers-')))
    mkdirSync(path('home'))
    writeRuntime(path('runtime.cjs'))
    records = openRecords(path('running'))
  })
  afterEach(async () => {
    lines.length = 0
    await endLeftovers(path('running'))
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  function write(source: string, name = `packages/api/f${(sources += 1)}`): string {
    const folder = path(name)
    const file = join(folder, 'dist', 'index.js')
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, source)
    writeFileSync(join(folder, 'package.json'), '{ "main": "dist/index.js", "type": "commonjs" }')
    writeFileSync(join(folder, '.include'), 'dist/index.js\npackage.json\n')
    return folder
  }

  return {
    get folder() {
      return root
    },
    get program() {
      return path('runtime.cjs')
    },
    get home() {
      return path('home')
    },
    get recordsFolder() {
      return path('running')
    },
    get records() {
      return records
    },
    lines,
    write,
    start(source, options = {}) {
      const folder = write(source)
      return startContainer({
        program: path('runtime.cjs'),
        folder,
        home: path('home'),
        apiHost: 'http://127.0.0.1:8080',
        records,
        onLine: line => lines.push(line),
        entry: join(folder, 'dist', 'index.js'),
        environment: {},
        timeoutMs: 10_000,
        memoryMb: 256,
        ...options,
      })
    },
  }
}

/** For `expect.poll`, on a machine that is busy. */
export const PATIENTLY = { timeout: 30_000 }

/** Calls a container with an event. */
export function run(container: Pick<Container, 'run'>, event: Record<string, unknown> = {}): Promise<CallEnd> {
  return container.run({ event, context: createContext({ qualifiedName: 'api/user', timeoutMs: 0, apiHost: 'http://127.0.0.1:8080' }) })
}

/** What a call that ended well has returned. */
export function resultOf(end: CallEnd): Record<string, unknown> {
  if (end.end !== 'result') throw new Error(`The call ended otherwise: ${JSON.stringify(end)}`)
  return end.result as Record<string, unknown>
}
