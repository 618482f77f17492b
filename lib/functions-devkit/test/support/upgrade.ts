import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { recordFiles } from '../../src/upgrade/record.ts'
import { readFolder } from '../../src/upgrade/tree.ts'
import { REPOSITORY } from './tested-application.ts'

/** Contents by path; undefined deletes the file. */
export type Contents = Readonly<Record<string, string | Buffer | undefined>>

/** Files of the first version, and what every version has besides. */
export const FIRST: Contents = {
  'project.yml': 'packages:\n  - name: api\n    functions:\n      - name: health\n      - name: user\n',
  'package.json': '{\n  "name": "sample",\n  "scripts": {\n    "test": "vitest"\n  },\n  "dependencies": {\n    "pg": "8.0.0"\n  }\n}\n',
  'README.md': 'one\ntwo\nthree\nfour\nfive\n',
  'build.sh': '#!/bin/bash\necho first\n',
  'lib/runtime/src/main.ts': 'export const main = 1\n\n\nexport const last = 1\n',
  'lib/runtime/src/old.ts': 'export const old = 1\n',
  'lib/app/project.ts': 'export const project = {\n  a: 1,\n\n\n  z: 1,\n}\n',
  'lib/app/users/unknown.ts': 'export const unknown = 1\n',
  'lib/app/sample.json': '{ "files": ["lib/app/users/", "lib/app/migrations/1-users.ts"] }\n',
  'lib/app/migrations/1-users.ts': 'export const users = 1\n',
  'lib/app/migrations/0-first.ts': 'export const first = 1\n',
  '.gitignore': 'dist/\n*.tgz\n',
}

const RULES = {
  version: '',
  framework: ['build.sh', 'lib/'],
  shared: ['lib/app/'],
  written: { 'package-lock.json': 'npm install', 'lib/app/sizes.json': 'npm run build -- --record' },
  lists: { '.gitignore': '' },
  optional: ['lib/app/sample.json'],
  executable: [],
  files: {},
}

export interface UpgradeStage extends Disposable {
  readonly root: string
  /** An application that was made from the first version. */
  readonly application: string
  /** The second version: at first the same as the first one. */
  readonly next: string
  /** Changes the application. */
  edit(contents: Contents): void
  /** Changes the second version, and records it as 2.0.0. */
  release(contents: Contents): void
  /** What a file of the application holds; undefined if there is none. */
  read(path: string): string | undefined
  /** Runs `npm run upgrade` with the second version as its source, or as the options say. */
  upgrade(...options: string[]): { readonly status: number | null; readonly output: string }
}

/** Makes a version, an application of it, and a version to come, in a folder of their own. */
export function upgradeStage(first: Contents = FIRST): UpgradeStage {
  const root = mkdtempSync(join(tmpdir(), 'upgrade-'))
  const [application, next] = [join(root, 'application'), join(root, 'next')]
  write(application, first)
  chmodSync(join(application, 'build.sh'), 0o755)
  recordAs(application, '1.0.0')
  cpSync(application, next, { recursive: true })
  return {
    root,
    application,
    next,
    edit: contents => write(application, contents),
    release(contents) {
      write(next, contents)
      recordAs(next, '2.0.0')
    },
    read: path => (existsSync(join(application, path)) ? readFileSync(join(application, path), 'utf8') : undefined),
    upgrade: (...options) => runUpgrade(application, ...(options.length === 0 ? ['--source', next] : options)),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** Runs the command in an application. */
export function runUpgrade(folder: string, ...options: string[]) {
  const { APPLICATION_FOLDER: _, ...env } = process.env
  const program = join(REPOSITORY, 'lib/functions-devkit/src/cli/upgrade.ts')
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...options], { cwd: folder, env, encoding: 'utf8' })
  return { status, output: stdout + stderr }
}

function write(folder: string, contents: Contents): void {
  for (const [path, content] of Object.entries(contents)) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    if (content === undefined) rmSync(file)
    else writeFileSync(file, content)
  }
}

function recordAs(folder: string, version: string): void {
  for (const [path, { content }] of recordFiles(readFolder(folder), version, RULES)) write(folder, { [path]: content })
}
