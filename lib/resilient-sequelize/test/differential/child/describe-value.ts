import type { SequelizeClass } from '../case.ts'

type Indent = string
type Line = string

/** Turns values into text that differs when a value or its JavaScript type differs. */
export type DescribeValue = (value: unknown) => string

// Added to Sequelize's errors, as the README says; see `differences.test.ts`.
const ADDED_TO_ERRORS = new Set(['code', 'retryable'])
// `stack` names lines of code, `length` counts the bytes of the message on the wire.
const SKIPPED_OF_ERRORS = new Set(['stack', 'length', 'name', 'message'])
const PARTS_OF_RESULTS = ['command', 'rowCount', 'oid', 'rows', 'rowAsArray', 'fields']
/** PostgreSQL's FirstNormalObjectId: ids from here on differ from database to database. */
const FIRST_OWN_ID = 16_384

/** Makes the function that describes values of one copy of Sequelize. */
export function describeWith({ Model, Transaction, Sequelize, BaseError }: ClassesOfSequelize): DescribeValue {
  return value => describe(value, '', new Set())

  function describe(value: unknown, indent: Indent, around: ReadonlySet<unknown>): string {
    switch (typeof value) {
      case 'string':
        return JSON.stringify(value)
      case 'number':
        return Object.is(value, -0) ? '-0' : String(value)
      case 'bigint':
        return `${value}n`
      case 'undefined':
      case 'boolean':
      case 'symbol':
        return String(value)
      case 'function':
        return describeFunction(value)
      case 'object':
      default:
        return value === null ? 'null' : describeObject(value as object, indent, around)
    }
  }

  function describeFunction(value: object & { readonly name: string; readonly prototype?: unknown }): string {
    if (value.prototype instanceof Model) return `<model ${value.name}>`
    return value === Sequelize || value.prototype instanceof Sequelize ? '<class Sequelize>' : `<function ${value.name}>`
  }

  function describeObject(value: object, indent: Indent, around: ReadonlySet<unknown>): string {
    if (around.has(value)) return '<circular>'
    const inside = new Set([...around, value])
    const next = `${indent}  `
    const inner = (one: unknown) => describe(one, next, inside)
    const block = (head: string, lines: readonly Line[], ends = '{}') =>
      lines.length === 0 ? `${head}${ends}` : `${head}${ends[0]}\n${lines.map(line => `${next}${line}\n`).join('')}${indent}${ends[1]}`
    const members = (keys: readonly (string | symbol)[]) => keys.map(key => `${nameOf(key)}: ${inner(Reflect.get(value, key))}`)

    if (value instanceof Date) return Number.isNaN(value.valueOf()) ? 'Date(invalid)' : `Date(${value.toISOString()})`
    if (ArrayBuffer.isView(value)) return `${classOf(value)}(${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')})`
    if (value instanceof Sequelize) return '<sequelize>'
    if (value instanceof Transaction) return block('Transaction ', members(['id', 'name', 'finished', 'options']))
    if (value instanceof Model) return block(`Instance of ${classOf(value)} `, partsOfInstance(value).map(describePart))
    if (value instanceof Error) return block(`Error ${chainOf(value).join(' < ')} `, partsOfError(value).map(describePart))
    if (value instanceof RegExp) return String(value)
    if (value instanceof Map)
      return block(
        'Map ',
        [...value].map(([key, one]) => `${inner(key)} => ${inner(one)}`),
      )
    if (value instanceof Set) return block('Set ', [...value].map(inner))
    if (isClient(value)) return '<connection>'
    if (isResult(value)) return block('Result ', members(PARTS_OF_RESULTS))
    if (isField(value)) return block('Field ', partsOfField(value).map(describePart))
    if (Array.isArray(value)) {
      const more = ownKeys(value).filter(key => typeof key === 'symbol' || !/^\d+$/.test(key))
      const items = Array.from(value, (one: unknown, index) => (index in value ? inner(one) : '<hole>'))
      return block(classOf(value) === 'Array' ? '' : `${classOf(value)} `, [...items, ...members(more)], '[]')
    }
    const name = classOf(value)
    return block(name === 'Object' ? '' : `${name} `, members(ownKeys(value)))

    function describePart([name, one]: readonly [string, unknown]): string {
      return `${name}: ${inner(one)}`
    }
  }

  function partsOfInstance(value: object): [string, unknown][] {
    const { dataValues, _previousDataValues, isNewRecord, changed } = value as {
      dataValues: unknown
      _previousDataValues: unknown
      isNewRecord: unknown
      changed(): unknown
    }
    const known = new Set(['dataValues', '_previousDataValues', 'uniqno', '_changed', '_options', '_customGetters', '_customSetters', 'isNewRecord'])
    // Associations are members of their own, beside the values.
    const more = Object.keys(value).filter(key => !known.has(key) && !Object.hasOwn(dataValues as object, key))
    return [
      ['values', dataValues],
      ['previous', _previousDataValues],
      ['changed', changed.call(value)],
      ['isNewRecord', isNewRecord],
      ...more.map((key): [string, unknown] => [key, Reflect.get(value, key)]),
    ]
  }

  function partsOfError(error: Error): [string, unknown][] {
    const keys = ownKeys(error).filter(key => !(typeof key === 'string' && SKIPPED_OF_ERRORS.has(key)))
    const kept = error instanceof BaseError ? keys.filter(key => !ADDED_TO_ERRORS.has(String(key))) : keys
    const { parent } = error as { parent?: unknown }
    return [
      ['name', error.name],
      ['message', error.message],
      ['shows the caller', error.stack?.includes('/differential/cases/')],
      ...kept.map((key): [string, unknown] => {
        const part: unknown = Reflect.get(error, key)
        return [nameOf(key), key === 'original' && part === parent ? 'the parent' : part]
      }),
    ]
  }
}

export interface ClassesOfSequelize {
  readonly Model: SequelizeClass['Model']
  readonly Transaction: SequelizeClass['Transaction']
  readonly BaseError: SequelizeClass['BaseError']
  readonly Sequelize: SequelizeClass
}

function ownKeys(value: object): (string | symbol)[] {
  return Reflect.ownKeys(value).filter(key => Object.getOwnPropertyDescriptor(value, key)?.enumerable)
}

function nameOf(key: string | symbol): string {
  return typeof key === 'symbol' ? `[${String(key)}]` : /^[\w$]+$/.test(key) ? key : JSON.stringify(key)
}

function classOf(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null) return 'Object without prototype'
  return (prototype as { constructor?: { name?: string } }).constructor?.name ?? 'Object'
}

function chainOf(value: object): string[] {
  const names: string[] = []
  for (
    let prototype = Object.getPrototypeOf(value) as object | null;
    prototype !== null;
    prototype = Object.getPrototypeOf(prototype) as object | null
  )
    if (prototype !== Object.prototype) names.push((prototype.constructor as { name: string }).name)
  return names
}

function isClient(value: object): boolean {
  return typeof Reflect.get(value, 'getTransactionStatus') === 'function'
}

function isResult(value: object): boolean {
  return 'command' in value && 'rowCount' in value && 'rows' in value && 'fields' in value
}

interface Field {
  readonly name: string
  readonly format: string
  readonly tableID: number
  readonly columnID: number
  readonly dataTypeID: number
}

function isField(value: object): value is Field {
  return 'tableID' in value && 'dataTypeID' in value && 'columnID' in value
}

function partsOfField({ name, format, tableID, columnID, dataTypeID, ...rest }: Field): [string, unknown][] {
  const id = (given: number) => (given >= FIRST_OWN_ID ? '<own>' : given)
  return [['name', name], ['format', format], ['table', id(tableID)], ['column', columnID], ['type', id(dataTypeID)], ...Object.entries(rest)]
}
