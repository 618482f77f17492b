import type { DeclaredTables } from '../../../functions-runtime/src/database/declared-tables.ts'
import type { DeclaredTable } from './pruned-table.ts'

/**
 * Returns what maintenance deletes by its age, from the `keep` of each table.
 * @throws TypeError for two rules with one name.
 */
export function prunedTablesOf(tables: DeclaredTables): readonly DeclaredTable[] {
  const pruned = Object.values(tables).flatMap(({ name: table, keep }) =>
    keep.flatMap(rule => (typeof rule === 'string' ? [] : [{ ...rule, name: rule.name ?? inCamelCase(table), table }])),
  )
  for (const [index, { name, table }] of pruned.entries()) {
    const other = pruned.slice(0, index).find(one => one.name === name)
    if (other === undefined) continue
    throw new TypeError(`Two rules are named ${name}, one of ${other.table} and one of ${table}: give one of them another name.`)
  }
  return pruned
}

/** Returns the names of the tables of which no row is deleted by its age, apart from those that a rule names. */
export function keptTablesOf(tables: DeclaredTables): readonly string[] {
  return Object.values(tables).flatMap(({ name, keep }) => (keep.includes('forever') ? [name] : []))
}

function inCamelCase(name: string): string {
  return name.replaceAll(/_+(.)/g, (_, letter: string) => letter.toUpperCase())
}
