import { parse as parseDotenv } from 'dotenv'
import { functionsOf, parseProject, placeholderEnvironment } from '../../lib/doctl-project-schema/src/index.ts'

/** The files that name variables. */
export interface Texts {
  project: string
  example: string
  readme: string
}

/** Who reads which variables, as the code has it. */
export interface Readers {
  /** By qualified name: what each deployed function reads. */
  functions: Readonly<Record<string, readonly string[]>>
  /** What only `npm start` and the command line read. */
  local: readonly string[]
}

const NAME = '[A-Z][A-Z0-9_]*'

/** In which ways the files disagree with the code, each in one sentence; none when all is well. */
export function disagreements({ project, example, readme }: Texts, { functions, local }: Readers): string[] {
  const passed = new Map(
    functionsOf(parseProject(project, placeholderEnvironment(project))).map(one => [one.qualifiedName, Object.keys(one.environment)]),
  )
  const deployed = [...new Set(Object.values(functions).flat())]
  const written = variablesOfExample(example)
  const tables = variablesOfReadme(readme)
  return [
    ...compare([...passed.keys()], Object.keys(functions), {
      missing: 'has a folder but no block in project.yml',
      extra: 'is in project.yml without a folder',
    }),
    ...Object.entries(functions).flatMap(([name, read]) =>
      compare(passed.get(name) ?? [], read, {
        missing: `is read by ${name} but not passed to it`,
        extra: `is passed to ${name}, which does not read it`,
      }),
    ),
    ...compare(written.deployed, deployed, place('.env.example')),
    ...compare(written.local, local, place('the local part of .env.example')),
    ...written.empty.map(name => `${name} has no value in .env.example`),
    ...compare(tables.deployed, deployed, place("the README's table")),
    ...compare(tables.local, local, place("the README's local table")),
  ]
}

function place(where: string): { missing: string; extra: string } {
  return { missing: `is not in ${where}`, extra: `is in ${where}, but not read` }
}

function compare(present: readonly string[], wanted: readonly string[], { missing, extra }: { missing: string; extra: string }): string[] {
  return [
    ...wanted.filter(name => !present.includes(name)).map(name => `${name} ${missing}`),
    ...[...new Set(present)].filter(name => !wanted.includes(name)).map(name => `${name} ${extra}`),
    ...present.filter((name, index) => present.indexOf(name) !== index).map(name => `${name} is there twice`),
  ]
}

/** Deployed ones are assignments; local ones are written as comments, since nothing reads them from this file. */
function variablesOfExample(text: string): { deployed: string[]; local: string[]; empty: string[] } {
  const values = parseDotenv(text)
  const lines = namesOf(text, new RegExp(String.raw`^(?:export\s+)?(${NAME})\s*=`, 'gm'))
  // dotenv has the last word on what an assignment is; the lines only tell which are there twice.
  const deployed = [...Object.keys(values), ...lines.filter((name, index) => lines.indexOf(name) !== index)]
  return {
    deployed,
    local: namesOf(text, new RegExp(`^# (${NAME})=.`, 'gm')),
    empty: Object.keys(values).filter(name => values[name] === ''),
  }
}

/** The first cells of the tables in the chapter on settings: the framework's, the application's, and those that are not deployed. */
function variablesOfReadme(text: string): { deployed: string[]; local: string[] } {
  const [, chapter = ''] = /^## Settings$(.*?)^## /ms.exec(text) ?? []
  const [, framework = '', application = '', local = '', ...more] = chapter.split(/^\| variable .*$/m)
  if (more.length > 0) throw new Error('the chapter on settings has more tables than three')
  const firstCells = (table: string) => namesOf(table, /^\| (.+?) \|/gm).flatMap(cell => namesOf(cell, new RegExp(`\`(${NAME})\``, 'g')))
  return { deployed: [...firstCells(framework), ...firstCells(application)], local: firstCells(local) }
}

/** Names of the variables that a source file takes out of an environment. */
export function variablesReadBy(source: string): string[] {
  const taken = [...source.matchAll(/\{([^{}]*)\}\s*=\s*(?:process\.env|environment)\b/g)].flatMap(([, names = '']) => names.split(','))
  return [
    ...namesOf(source, new RegExp(String.raw`\b(?:environment|env)(?:\??\.|\[')(${NAME})\b`, 'g')),
    ...taken.flatMap(part => namesOf(part, new RegExp(String.raw`^\s*(${NAME})\b`, 'g'))),
  ]
}

function namesOf(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, name = '']) => name)
}
