import type { CreatedName, NameKind } from './created-name.ts'
import { namesOfColumn, namesOfConstraint } from './implied-names.ts'
import { readStatements, WordReader, type SqlWord } from './sql-words.ts'

/**
 * The names that SQL text takes, those included that PostgreSQL makes of them: indexes of keys, sequences of columns, checks.
 * Read from the words alone: a name that a function or a DO block makes is not seen, and PostgreSQL refuses it when the
 * statement runs. Left out are temporary objects, and schemas and extensions with IF NOT EXISTS, which are meant to be shared.
 */
export function createdNames(text: string): CreatedName[] {
  return readStatements(text).flatMap(words => namesOfStatement(new WordReader(words)))
}

function namesOfStatement(reader: WordReader): CreatedName[] {
  if (reader.skip('explain')) return namesOfExplain(reader)
  if (reader.skip('create')) return namesOfCreate(reader)
  if (reader.skip('select') || reader.skip('with')) return namesOfInto(reader)
  return reader.skip('alter') ? namesOfAlter(reader) : []
}

/** What one statement does to names: those that it gives up come first. */
export interface NameChange {
  readonly freed: readonly CreatedName[]
  readonly taken: readonly CreatedName[]
}

/**
 * The names that SQL text gives up and takes, statement by statement. Functions keep their names: one of several with the
 * same name may be dropped.
 */
export function nameChanges(text: string): NameChange[] {
  return readStatements(text).map(words => {
    const reader = new WordReader(words)
    const taken = namesOfStatement(new WordReader(words))
    if (reader.skip('drop')) return { freed: namesOfDrop(reader), taken }
    return { freed: reader.skip('alter') ? renamedFrom(reader) : [], taken }
  })
}

// Without ANALYZE the statement is not run.
function namesOfExplain(reader: WordReader): CreatedName[] {
  const options = reader.list()
  const analyzes =
    options === undefined ? reader.skipAny('analyze', 'verbose').has('analyze') : options.some(part => new WordReader(part).skip('analyze'))
  return analyzes ? namesOfStatement(reader) : []
}

/** Of SELECT … INTO, also behind WITH. */
function namesOfInto(reader: WordReader): CreatedName[] {
  for (let depth = 0; !reader.isAtEnd;) {
    if (depth === 0 && (reader.skip('insert', 'into') || reader.skip('merge', 'into'))) return []
    if (depth === 0 && reader.skip('into')) {
      const modifiers = reader.skipAny(...MODIFIERS)
      reader.skip('table')
      const name = reader.qualifiedName()
      return name === undefined || modifiers.has('temp') || modifiers.has('temporary') ? [] : [{ kind: 'table', ...name }]
    }
    const { kind, text } = reader.next()
    if (kind === 'sign' && text === '(') depth += 1
    if (kind === 'sign' && text === ')') depth -= 1
  }
  return []
}

// Words that may stand between CREATE or ALTER and the kind.
const MODIFIERS = ['or', 'replace', 'global', 'local', 'temp', 'temporary', 'unlogged', 'unique', 'foreign', 'recursive', 'materialized']
const IN_SCHEMA: readonly (readonly [word: string, kind: NameKind])[] = [
  ['view', 'view'],
  ['sequence', 'sequence'],
  ['type', 'type'],
  ['domain', 'type'],
  ['function', 'function'],
  ['procedure', 'function'],
  ['aggregate', 'function'],
]

function namesOfCreate(reader: WordReader): CreatedName[] {
  const modifiers = reader.skipAny(...MODIFIERS)
  if (modifiers.has('temp') || modifiers.has('temporary')) return []
  if (reader.skip('table')) return namesOfTable(reader)
  if (reader.skip('index')) return namesOfIndex(reader)
  if (reader.skip('user', 'mapping')) return []
  if (reader.skip('role') || reader.skip('user') || reader.skip('group')) return global('role', reader)
  for (const kind of ['schema', 'extension'] as const) {
    if (reader.skip(kind)) return reader.skip('if', 'not', 'exists') ? [] : global(kind, reader)
  }
  const [, kind] = IN_SCHEMA.find(([word]) => reader.skip(word)) ?? []
  if (kind === undefined) return []
  reader.skip('if', 'not', 'exists')
  const name = reader.qualifiedName()
  return name === undefined ? [] : [{ kind, ...name }]
}

function global(kind: NameKind, reader: WordReader): CreatedName[] {
  if (reader.skip('authorization')) return []
  const name = reader.name()
  return name === undefined ? [] : [{ kind, name }]
}

function namesOfTable(reader: WordReader): CreatedName[] {
  reader.skip('if', 'not', 'exists')
  const table = reader.qualifiedName()
  if (table === undefined) return []
  return [{ kind: 'table', ...table }, ...(reader.list() ?? []).flatMap(part => namesOfPart(table, part))]
}

type Table = Required<Pick<CreatedName, 'schema' | 'name'>>

/** What one part of a table's definition makes: a column, or a constraint. */
function namesOfPart({ schema, name: table }: Table, part: readonly SqlWord[]): CreatedName[] {
  const made = namesOfConstraint(table, part) ?? namesOfColumn(table, part)
  return made.map(one => ({ ...one, schema, table }))
}

function namesOfIndex(reader: WordReader): CreatedName[] {
  reader.skip('concurrently')
  reader.skip('if', 'not', 'exists')
  // PostgreSQL finds a free name for one that has none.
  if (reader.skip('on')) return []
  const name = reader.name()
  if (name === undefined || !reader.skip('on')) return []
  reader.skip('only')
  const table = reader.qualifiedName()
  return table === undefined ? [] : [{ kind: 'index', name, schema: table.schema, table: table.name }]
}

function namesOfAlter(reader: WordReader): CreatedName[] {
  const kind = kindWithSchema(reader)
  if (kind === undefined) return []
  reader.skip('if', 'exists')
  reader.skip('only')
  const altered = reader.qualifiedName()
  if (altered === undefined) return []
  reader.skip('*')
  if (kind === 'function') reader.list()
  if (reader.skip('rename', 'to')) {
    const name = reader.name()
    return name === undefined ? [] : [{ kind, schema: altered.schema, name }]
  }
  if (reader.skip('set', 'schema')) {
    const schema = reader.name()
    return schema === undefined ? [] : [{ kind, schema, name: altered.name }]
  }
  return kind === 'table' ? reader.rest().flatMap(part => namesOfAction(altered, part)) : []
}

function namesOfDrop(reader: WordReader): CreatedName[] {
  const kind = kindWithSchema(reader)
  if (kind === undefined || kind === 'function') return []
  reader.skip('concurrently')
  reader.skip('if', 'exists')
  return reader.rest().flatMap(part => {
    const name = new WordReader(part).qualifiedName()
    return name === undefined ? [] : [{ kind, ...name }]
  })
}

function renamedFrom(reader: WordReader): CreatedName[] {
  const kind = kindWithSchema(reader)
  if (kind === undefined || kind === 'function') return []
  reader.skip('if', 'exists')
  reader.skip('only')
  const name = reader.qualifiedName()
  reader.skip('*')
  return name !== undefined && (reader.skip('rename', 'to') || reader.skip('set', 'schema')) ? [{ kind, ...name }] : []
}

function kindWithSchema(reader: WordReader): NameKind | undefined {
  reader.skipAny(...MODIFIERS)
  if (reader.skip('table')) return 'table'
  return reader.skip('index') ? 'index' : IN_SCHEMA.find(([word]) => reader.skip(word))?.[1]
}

function namesOfAction(table: Table, action: readonly SqlWord[]): CreatedName[] {
  const reader = new WordReader(action)
  if (!reader.skip('add')) return []
  reader.skip('column')
  reader.skip('if', 'not', 'exists')
  return namesOfPart(table, reader.words())
}
