import type { CreatedName } from './created-name.ts'
import { LONGEST_NAME, WordReader, type SqlWord } from './sql-words.ts'

type Implied = Pick<CreatedName, 'kind' | 'name'>

const CONSTRAINTS = ['constraint', 'primary', 'unique', 'check', 'foreign', 'exclude', 'like']

/** The names that a table's constraint makes; `undefined` for a part that is a column. */
export function namesOfConstraint(table: string, part: readonly SqlWord[]): Implied[] | undefined {
  const [first] = part
  if (first?.kind !== 'word' || !CONSTRAINTS.includes(first.text)) return undefined
  const reader = new WordReader(part)
  const given = reader.skip('constraint') ? reader.name() : undefined
  if (reader.skip('primary', 'key')) return [{ kind: 'index', name: given ?? impliedName(table, undefined, 'pkey') }]
  if (reader.skip('unique')) {
    reader.skip('nulls', 'distinct')
    reader.skip('nulls', 'not', 'distinct')
    const columns = namesIn(reader.list())
    if (given === undefined && columns.length === 0) return []
    return [{ kind: 'index', name: given ?? impliedName(table, columns.join('_'), 'key') }]
  }
  if (reader.skip('exclude')) return given === undefined ? [] : [{ kind: 'index', name: given }]
  // One with a name of its own shares it with other tables.
  if (given !== undefined) return []
  if (reader.skip('check')) return [{ kind: 'constraint', name: impliedName(table, onlyColumnIn(reader.words()), 'check') }]
  if (reader.skip('foreign', 'key')) return [{ kind: 'constraint', name: impliedName(table, namesIn(reader.list()).join('_'), 'fkey') }]
  return []
}

const SERIALS = new Set(['serial', 'bigserial', 'smallserial', 'serial2', 'serial4', 'serial8'])

/** The names that a column makes by its type and by the constraints behind it. */
export function namesOfColumn(table: string, part: readonly SqlWord[]): Implied[] {
  const reader = new WordReader(part)
  const column = reader.name()
  if (column === undefined) return []
  const names: Implied[] = []
  let given: string | undefined
  for (let depth = 0; !reader.isAtEnd;) {
    const word = reader.next()
    if (word.kind === 'sign') depth += word.text === '(' ? 1 : word.text === ')' ? -1 : 0
    if (word.kind !== 'word' || depth > 0) continue
    if (word.text === 'constraint') {
      given = reader.name()
      continue
    }
    const implied = impliedBy(word.text, table, column)
    if (implied === undefined) continue
    if (given === undefined || implied.kind === 'sequence') names.push(implied)
    else if (implied.kind === 'index') names.push({ kind: 'index', name: given })
    if (implied.kind !== 'sequence') given = undefined
  }
  return names
}

function impliedBy(word: string, table: string, column: string): Implied | undefined {
  if (SERIALS.has(word) || word === 'identity') return { kind: 'sequence', name: impliedName(table, column, 'seq') }
  switch (word) {
    case 'primary':
      return { kind: 'index', name: impliedName(table, undefined, 'pkey') }
    case 'unique':
      return { kind: 'index', name: impliedName(table, column, 'key') }
    case 'check':
      return { kind: 'constraint', name: impliedName(table, column, 'check') }
    case 'references':
      return { kind: 'constraint', name: impliedName(table, column, 'fkey') }
    default:
      return undefined
  }
}

// Words of an expression that are no column.
const OPERATORS = new Set(['and', 'or', 'not', 'is', 'null', 'in', 'between', 'like', 'ilike', 'similar', 'to', 'any', 'all', 'true', 'false'])

/** The column of a condition that has just one: a check is then named after it. */
function onlyColumnIn(words: readonly SqlWord[]): string | undefined {
  const columns = words.flatMap(({ kind, text }, index) => {
    const isName = kind === 'quoted' || (kind === 'word' && !OPERATORS.has(text))
    const [before, after] = [words[index - 1]?.text, words[index + 1]?.text]
    return isName && before !== ':' && after !== '(' ? [text] : []
  })
  const [first, ...others] = new Set(columns)
  return others.length === 0 ? first : undefined
}

function namesIn(list: readonly (readonly SqlWord[])[] | undefined): string[] {
  return (list ?? []).flatMap(part => new WordReader(part).name() ?? [])
}

/** The name that PostgreSQL makes (`makeObjectName` of its source): of one that is too long, it shortens the longer part. */
function impliedName(table: string, column: string | undefined, label: string): string {
  const room = LONGEST_NAME - Buffer.byteLength(label) - 1 - (column === undefined ? 0 : 1)
  let [first, second] = [table, column ?? '']
  while (Buffer.byteLength(first) + Buffer.byteLength(second) > room) {
    if (Buffer.byteLength(first) > Buffer.byteLength(second)) first = [...first].slice(0, -1).join('')
    else second = [...second].slice(0, -1).join('')
  }
  return [first, ...(column === undefined ? [] : [second]), label].join('_')
}
