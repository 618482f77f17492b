/**
 * An SQL text that names our tables. Returns the text for an installation whose tables are in `schema`: the same string
 * for the same schema, so that the server parses it once.
 */
export type Statement = (schema: string) => string

/**
 * Builds a statement. Each part is a table of `tablesNamed`, another statement, or text of our own; never a value, which
 * belongs into `bind`. A name without its schema would depend on the search path that the administrator set.
 */
export function sql(texts: TemplateStringsArray, ...parts: readonly (Statement | string | number)[]): Statement {
  return oncePerSchema(schema => String.raw({ raw: texts }, ...parts.map(part => (typeof part === 'function' ? part(schema) : part))))
}

/** Joins statements with `separator` between them. */
export function joined(parts: readonly Statement[], separator: string): Statement {
  return schema => parts.map(part => part(schema)).join(separator)
}

function oncePerSchema(build: Statement): Statement {
  const built = new Map<string, string>()
  return schema => {
    let text = built.get(schema)
    if (text === undefined) built.set(schema, (text = build(schema)))
    return text
  }
}

/** The name of a table in the configured schema, as a part of a statement. */
export function table(name: string): Statement {
  return oncePerSchema(schema => `${quoteName(schema)}.${quoteName(name)}`)
}

/** A name as SQL takes it, whatever it contains. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The tables and views of a package or of the application, by name, as parts of statements. */
export function tablesNamed<Name extends string>(...names: readonly Name[]): Readonly<Record<Name, Statement>> {
  return Object.fromEntries(names.map(name => [name, table(name)])) as Record<Name, Statement>
}
