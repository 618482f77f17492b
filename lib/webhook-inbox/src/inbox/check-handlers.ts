/**
 * Requires an array of handlers with one handler for each type. `place` stands before the names of fields in a message.
 * @throws TypeError
 */
export function checkHandlers(handlers: unknown, place = ''): void {
  if (!Array.isArray(handlers)) throw new TypeError(`${place}\`handlers\` has to be an array of handlers, each made by \`defineHandler\`.`)
  const types = new Set<string>()
  for (const [index, handler] of (handlers as readonly unknown[]).entries()) {
    const name = `${place}\`handlers[${index}]\``
    if (typeof handler !== 'object' || handler === null) throw new TypeError(`${name} is no handler: make it with \`defineHandler\`.`)
    const { type, schema, needsDatabase, apply, concerns } = handler as Readonly<Record<string, unknown>>
    if (typeof type !== 'string' || type === '') throw new TypeError(`${name} needs \`type\`, the type of its events as text.`)
    const refuse = (reason: string) => new TypeError(`${name} (${type}) ${reason}.`)
    if (!isSchema(schema)) throw refuse('needs `schema`, a schema of zod or zod/mini')
    if (typeof needsDatabase !== 'boolean') throw refuse('needs `needsDatabase`, which is true or false')
    if (typeof apply !== 'function') throw refuse('needs `apply`, a function that applies the event')
    if (concerns !== undefined && typeof concerns !== 'function') throw refuse('has `concerns`, which has to be a function of the data')
    if (types.has(type)) throw new TypeError(`${place}There are two handlers for events of type ${type}. Remove one of them.`)
    types.add(type)
  }
}

function isSchema(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && 'safeParse' in schema && typeof schema.safeParse === 'function'
}
