import { refusalOfSchemaName } from '../../resilient-sequelize/src/migrate/schema-name.ts'
import { checkHandlers } from './inbox/check-handlers.ts'

const OPTIONS = ['sources', 'handlers', 'environment', 'schema', 'logger', 'alerts']
// A logger without these would take what is meant for pino and log SQL values and secrets.
const OF_PINO = ['debug', 'info', 'warn', 'error', 'child', 'bindings', 'isLevelEnabled']

/** @throws TypeError that says which option of an inbox is wrong, and what it has to be. Sources are checked by themselves. */
export function checkOptions(options: unknown): void {
  if (!isObject(options)) throw new TypeError('An inbox needs options: createInbox(sequelize, { sources, handlers }).')
  const unknown = Object.keys(options).find(name => !OPTIONS.includes(name))
  if (unknown !== undefined) throw new TypeError(`createInbox has no option \`${unknown}\`. Its options are ${OPTIONS.join(', ')}.`)
  const { sources, handlers, environment, schema, logger, alerts } = options
  if (!isObject(sources) || Array.isArray(sources)) throw new TypeError('`sources` has to be an object that holds each source under its name.')
  if (Object.keys(sources).length === 0) throw new TypeError('An inbox needs at least one source.')
  checkHandlers(handlers)
  if (!Object.values(sources).some(source => reachesHandler(source, handlers))) {
    const why = isFilled(handlers) ? 'reaches no source, since each has `commonHandlers: false`' : 'is empty'
    throw new TypeError(`\`handlers\` ${why}. An inbox without a handler applies no event: pass at least one.`)
  }
  if (environment !== undefined && !isObject(environment)) throw new TypeError('`environment` has to be an object of variables.')
  const refusal = schema === undefined ? undefined : refusalOfSchemaName(schema)
  if (refusal !== undefined) throw new TypeError(`\`schema\` ${refusal}.`)
  if (logger !== undefined && !hasFunctions(logger, OF_PINO))
    throw new TypeError('`logger` has to be a logger of pino. Without one, the inbox writes JSON lines to standard output.')
  if (alerts !== undefined && !hasFunctions(alerts, ['passOn'])) throw new TypeError('`alerts` has to be an object with a function `passOn`.')
}

// What is no object is refused with the source's name.
function reachesHandler(source: unknown, common: unknown): boolean {
  if (!isObject(source)) return true
  return isFilled(source['handlers']) || (source['commonHandlers'] !== false && isFilled(common))
}

function isFilled(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function hasFunctions(value: unknown, names: readonly string[]): boolean {
  return isObject(value) && names.every(name => typeof value[name] === 'function')
}
