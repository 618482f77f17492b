import { globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { hostSettings } from '../../lib/functions-devkit/src/settings/host.ts'
import { parseProject, placeholderEnvironment } from '../../lib/doctl-project-schema/src/index.ts'
import type { Main } from '../../lib/functions-runtime/src/edge/define.ts'
import { disagreements, variablesReadBy, type Readers, type Texts } from '../support/agreement.ts'

const root = join(import.meta.dirname, '../..')
const textOf = (path: string) => readFileSync(join(root, path), 'utf8')
const sources = (...patterns: string[]) => globSync(patterns, { cwd: root }).sort()

const texts: Texts = { project: textOf('project.yml'), example: textOf('.env.example'), readme: textOf('README.md') }
const folders = readdirSync(join(root, 'packages')).flatMap(name => readdirSync(join(root, 'packages', name)).map(inner => `${name}/${inner}`))
// What every program finds in its environment, and nobody sets for this one.
const OF_THE_SYSTEM = ['PATH']

let readers: Readers
beforeAll(async () => {
  const functions: Record<string, readonly string[]> = {}
  for (const name of folders) {
    const { main } = (await import(join(root, 'packages', name, 'index.ts'))) as { main: Main }
    functions[name] = main.variables
  }
  const deployed = Object.values(functions).flat()
  const inServer = sources('lib/functions-devkit/src/server/**/*.ts', 'lib/functions-devkit/src/cli/**/*.ts').flatMap(path =>
    variablesReadBy(textOf(path)),
  )
  readers = {
    functions,
    local: [...new Set([...inServer, ...hostSettings.variables])].filter(name => !deployed.includes(name) && !OF_THE_SYSTEM.includes(name)),
  }
})

const edited = (changes: Partial<Readonly<Record<keyof Texts, (text: string) => string>>>): Texts => {
  const changed = Object.entries(changes).map(([name, change]) => {
    const text = change(texts[name as keyof Texts])
    if (text === texts[name as keyof Texts]) throw new Error(`the edit of ${name} changed nothing`)
    return [name, text]
  })
  return { ...texts, ...(Object.fromEntries(changed) as Partial<Texts>) }
}
const differences = (changes: Parameters<typeof edited>[0]) => disagreements(edited(changes), readers)

describe('the variables', () => {
  it('are passed to exactly the functions that read them, and explained in .env.example and README', () => {
    expect(disagreements(texts, readers)).toEqual([])
  })

  it('that only npm start and the long-lived host read are these', () => {
    expect([...readers.local].sort()).toEqual([
      'HTTP_HEADERS_MS',
      'HTTP_KEEP_ALIVE_MS',
      'HTTP_MAX_CONNECTIONS',
      'HTTP_MAX_HEADER_BYTES',
      'HTTP_REQUEST_MS',
      'LOCAL_CONTAINERS',
      'LOCAL_DATABASE_PORT',
      'LOCAL_DATA_FOLDER',
      'LOCAL_DESTROY_AFTER_MS',
      'LOCAL_PAUSE_AFTER_MS',
      'LOCAL_REDIS_PORT',
      'LOG_FILE',
      'PORT',
      'SCHEDULES',
      'SHUTDOWN_GRACE_MS',
      'SHUTDOWN_REQUESTS_MS',
      'SMOKE_API_KEY',
    ])
  })

  it('are read from the environment by settings alone, as far as functions go', () => {
    const elsewhere = sources('packages/**/*.ts', 'lib/**/*.ts').filter(
      path => !/^lib\/(?:functions-runtime\/src\/settings\/|(?:functions-devkit|doctl-project-schema|postgres-faults)\/|[^/]+\/test\/)/.test(path),
    )
    expect(elsewhere.length).toBeGreaterThan(50)
    expect(
      elsewhere.filter(path => /\bprocess\s*(\?\.|\.|\[')env\b|\benv\b[^}]*\}\s*=\s*process\b|['"](node:)?process['"]/.test(textOf(path))),
    ).toEqual([])
  })

  it.each(folders)('of %s do not go out of step unseen: each that project.yml drops or adds is named', name => {
    // However the block passes them: the file is written anew, as JSON.
    const passing = (change: (variables: Record<string, string>) => Record<string, string>) => (text: string) => {
      const project = parseProject(text, placeholderEnvironment(text))
      const inPackage = project.packages.find(one => name.startsWith(`${one.name}/`))
      const block = inPackage?.functions?.find(one => `${inPackage.name}/${one.name}` === name)
      if (block) block.environment = change(block.environment ?? {})
      return JSON.stringify(project)
    }
    for (const variable of readers.functions[name] ?? []) {
      expect(differences({ project: passing(({ [variable]: _, ...others }) => others) })).toEqual([
        `${variable} is read by ${name} but not passed to it`,
      ])
    }
    expect(differences({ project: passing(variables => ({ ...variables, EXTRA: 'a' })) })).toEqual([
      `EXTRA is passed to ${name}, which does not read it`,
    ])
  })

  it('do not go out of step unseen: each that .env.example or the README drops or repeats is named', () => {
    const escape = String.raw
    for (const variable of new Set(Object.values(readers.functions).flat())) {
      const assignment = new RegExp(escape`^${variable}=.*$`, 'm')
      expect(differences({ example: text => text.replace(assignment, '') })).toEqual([`${variable} is not in .env.example`])
      expect(differences({ example: text => `${text}\n${variable}=again\n` })).toEqual([`${variable} is there twice`])
      expect(differences({ example: text => text.replace(assignment, `${variable}=`) })).toEqual([`${variable} has no value in .env.example`])
      expect(differences({ example: text => text.replace(assignment, line => `# ${line}`) })).toEqual([
        `${variable} is not in .env.example`,
        `${variable} is in the local part of .env.example, but not read`,
      ])
      const cell = new RegExp(escape`^(\| .*?)${`\`${variable}\``}`, 'm')
      expect(differences({ readme: text => text.replace(cell, '$1`') })).toEqual([`${variable} is not in the README's table`])
    }
  })

  it('do not go out of step unseen: each local one that is dropped, or moved among the deployed ones, is named', () => {
    for (const variable of readers.local) {
      const comment = new RegExp(`^# (${variable}=.*)$`, 'm')
      expect(differences({ example: text => text.replace(comment, '') })).toEqual([`${variable} is not in the local part of .env.example`])
      expect(differences({ example: text => text.replace(comment, '$1') })).toEqual([
        `${variable} is in .env.example, but not read`,
        `${variable} is not in the local part of .env.example`,
      ])
      const row = new RegExp(`^\\| \`${variable}\`.*\n`, 'm')
      expect(differences({ readme: text => text.replace(row, '') })).toEqual([`${variable} is not in the README's local table`])
      expect(differences({ readme: text => text.replace(row, '').replace(/^\| `WEBHOOK_POISON`/m, `| \`${variable}\` | | |\n$&`) })).toEqual([
        `${variable} is in the README's table, but not read`,
        `${variable} is not in the README's local table`,
      ])
    }
  })

  it('do not go out of step unseen: one that nothing reads is named wherever it is added', () => {
    expect(differences({ example: text => `${text}\nEXTRA=1\n` })).toEqual(['EXTRA is in .env.example, but not read'])
    expect(differences({ example: text => `${text}\n# EXTRA=1\n` })).toEqual(['EXTRA is in the local part of .env.example, but not read'])
    expect(differences({ readme: text => text.replace(/^\| `WEBHOOK_POISON`/m, '| `EXTRA` | | |\n$&') })).toEqual([
      "EXTRA is in the README's table, but not read",
    ])
    expect(differences({ readme: text => text.replace(/^\| `PORT`/m, '| `EXTRA` | | |\n$&') })).toEqual([
      "EXTRA is in the README's local table, but not read",
    ])
  })

  it('do not go out of step unseen: one that the code begins or ceases to read is named in every file', () => {
    const name = 'api/webhook'
    const reads = (variables: readonly string[]): Readers => ({ ...readers, functions: { ...readers.functions, [name]: variables } })
    const now = readers.functions[name] ?? []
    expect(disagreements(texts, reads([...now, 'FRESH']))).toEqual([
      `FRESH is read by ${name} but not passed to it`,
      'FRESH is not in .env.example',
      "FRESH is not in the README's table",
    ])
    expect(disagreements(texts, reads(now.filter(variable => variable !== 'WEBHOOK_POISON')))).toEqual([
      `WEBHOOK_POISON is passed to ${name}, which does not read it`,
      'WEBHOOK_POISON is in .env.example, but not read',
      "WEBHOOK_POISON is in the README's table, but not read",
    ])
    expect(disagreements(texts, { ...readers, local: [...readers.local, 'FRESH'] })).toEqual([
      'FRESH is not in the local part of .env.example',
      "FRESH is not in the README's local table",
    ])
  })
})

describe('the functions', () => {
  it('are missed when project.yml does not declare one', () => {
    const { functions } = readers
    expect(disagreements(texts, { ...readers, functions: { ...functions, 'api/fresh': [] } })).toEqual([
      'api/fresh has a folder but no block in project.yml',
    ])
  })
})

describe('what a source file reads from the environment', () => {
  it.each([
    ['environment.PORT', ['PORT']],
    ["environment['PORT']", ['PORT']],
    ['process.env.PORT ?? options.environment?.HOST', ['PORT', 'HOST']],
    ['const { PORT, HOST: host = 1 } = process.env', ['PORT', 'HOST']],
    ['process.env.npm_lifecycle_event', []],
  ])('is found in %s', (source, names) => {
    expect(variablesReadBy(source)).toEqual(names)
  })
})
