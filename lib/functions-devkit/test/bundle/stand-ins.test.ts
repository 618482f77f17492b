import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import fc from 'fast-check'
import pino from 'pino'
import { DataTypes, Op, Sequelize } from 'sequelize'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleFunctions } from '../support/bundle-functions.ts'
import { BUILDER, copyCheckout, type Checkout } from '../support/checkout.ts'

type Members = Readonly<Record<string, (...given: unknown[]) => unknown>>
interface Packages {
  sequelize: { Sequelize: typeof Sequelize; DataTypes: typeof DataTypes; Op: typeof Op }
  lodash: Members & ((value: unknown) => Members)
  semver: Members
  pino: typeof pino
  debug: (namespace: string) => ((...given: unknown[]) => unknown) & { enabled: boolean }
}

/** As `build.sh` puts them into a bundle: with our stand-ins in place of parts of them. */
let bundled: Packages
const require = createRequire(import.meta.url)
const real: Packages = {
  sequelize: { Sequelize, DataTypes, Op },
  lodash: require('lodash') as Packages['lodash'],
  semver: require('semver') as Packages['semver'],
  pino,
  debug: require('debug') as Packages['debug'],
}
let checkout: Checkout

beforeAll(() => {
  checkout = copyCheckout(BUILDER)
  checkout.write('project.yml', 'packages:\n  - name: app\n    functions:\n      - { name: packages, runtime: "nodejs:24", web: false }\n')
  const names = ['sequelize', 'lodash', 'semver', 'pino', 'debug']
  checkout.write('packages/app/packages/index.ts', `export const main = () => ({ ${names.map(name => `${name}: require('${name}')`).join(', ')} })\n`)
  checkout.write('packages/app/packages/dist/package.json', '{ "type": "commonjs" }')
  bundleFunctions(checkout.folder)
  const entry = join(checkout.folder, 'packages/app/packages/dist/index.js')
  bundled = (createRequire(entry)(entry) as { main: () => Packages }).main()
})
afterAll(() => checkout.remove())

/** What `look` finds of both. */
function both<Result>(look: (packages: Packages) => Result): [ofBundled: Result, ofReal: Result] {
  return [look(bundled), look(real)]
}

function expectSame(look: (packages: Packages) => unknown): void {
  const [ofBundled, ofReal] = both(packages => attempt(() => look(packages)))
  expect(ofBundled).toEqual(ofReal)
}

function attempt(look: () => unknown): unknown {
  try {
    return { result: look() }
  } catch (error) {
    // A message may name a variable, whose name is shorter in a bundle.
    return { threw: (error as Error).message.replace(/^\w+(\.\w+)? is not/, 'it is not') }
  }
}

describe('sequelize with stand-ins', () => {
  interface Generator {
    selectQuery(table: string, options: object, model: unknown): string
    insertQuery(table: string, values: object, attributes: object, options: object): unknown
    updateQuery(table: string, values: object, where: object, options: object, attributes: object): unknown
    createTableQuery(table: string, attributes: object, options: object): string
    attributesToSQL(attributes: object, options: object): object
    bulkInsertQuery(table: string, rows: object[], options: object, attributes: object): string
  }
  function modelsOf({ sequelize: { Sequelize, DataTypes } }: Packages) {
    const sequelize = new Sequelize({ dialect: 'postgres', databaseVersion: '14.0.0', logging: false } as object)
    const Person = sequelize.define(
      'Person',
      {
        id: { type: DataTypes.UUID, primaryKey: true },
        email: { type: DataTypes.TEXT, allowNull: false, validate: { isEmail: true, len: [3, 20] } },
        seenAt: DataTypes.DATE,
        born: DataTypes.DATEONLY,
        place: DataTypes.GEOMETRY('POINT'),
        tags: DataTypes.ARRAY(DataTypes.TEXT),
        extra: DataTypes.JSONB,
        during: DataTypes.RANGE(DataTypes.DATE),
        kind: DataTypes.ENUM('one', 'two'),
        price: DataTypes.DECIMAL(10, 2),
      },
      { underscored: true, indexes: [{ fields: ['email'] }] },
    )
    const Child = sequelize.define('Child', { name: DataTypes.STRING(50) })
    Person.hasMany(Child, { as: 'children' })
    Child.belongsTo(Person)
    return { sequelize, Person, Child, generator: (sequelize.getQueryInterface() as unknown as { queryGenerator: Generator }).queryGenerator }
  }
  const row = {
    id: '0198c0de-0000-7000-8000-000000000001',
    email: "o'neil@example.com",
    seenAt: new Date('2024-02-29T23:59:59.987Z'),
    born: '1970-01-01',
    place: { type: 'Point', coordinates: [1.5, -2] },
    tags: ['a', "b'c"],
    extra: { deep: [1, { x: null }] },
    during: [new Date(0), new Date(1e12)],
    kind: 'two',
    price: '10.50',
  }

  it('defines the same tables, columns and associations', () => {
    expectSame(packages => {
      const { Person, Child, generator } = modelsOf(packages)
      const attributes = generator.attributesToSQL(Person.getAttributes(), { table: 'people' })
      const associations = [Person, Child].map(({ associations }) => Object.entries(associations).map(([name, one]) => [name, one.associationType]))
      return [Person.tableName, Child.tableName, attributes, generator.createTableQuery('people', attributes, {}), associations]
    })
  })

  it('writes the same statements, dates, geometry and ranges included', () => {
    expectSame(packages => {
      const { Person, generator } = modelsOf(packages)
      const attributes = Person.getAttributes()
      return [
        generator.insertQuery('people', row, attributes, { returning: true }),
        generator.updateQuery('people', row, { id: row.id, seenAt: row.seenAt }, {}, attributes),
        generator.bulkInsertQuery('people', [row, { ...row, seenAt: null }], { fieldMappedAttributes: attributes }, attributes),
      ]
    })
  })

  it('asks for rows in the same words, associations included', () => {
    expectSame(packages => {
      const { Person, Child, generator } = modelsOf(packages)
      const { Op } = packages.sequelize
      const where = {
        email: { [Op.iLike]: '%x%' },
        seenAt: { [Op.between]: [new Date(0), new Date(1e12)] },
        [Op.or]: [{ kind: ['one', 'two'] }, { extra: { deep: { x: 1 } } }, { tags: { [Op.contains]: ['a'] } }],
      }
      const include = (Person as unknown as { _validateIncludedElements(options: object): object })._validateIncludedElements({
        include: [{ model: Child, as: 'children', where: { name: 'n' } }],
        model: Person,
      })
      return [
        generator.selectQuery('people', { where, order: [['seenAt', 'DESC']], limit: 3, attributes: ['id', 'email'] }, Person),
        generator.selectQuery('people', { ...include, tableNames: ['people'], attributes: ['id'], where }, Person),
      ]
    })
  })

  it('writes every date as it is', () => {
    const [ours, theirs] = both(packages => modelsOf(packages).sequelize)
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') }), date => {
        expect(ours.escape(date as never)).toBe(theirs.escape(date as never))
      }),
    )
  })

  it.each([
    'x',
    'a@example.com',
    'https://example.com/x',
    '127.0.0.1',
    '::1',
    '10.5',
    '42',
    '2024-01-01',
    '0198c0de-0000-7000-8000-000000000001',
    '',
    'Abc',
  ])('judges %j as before with each of its validators', text => {
    const judge = ({ sequelize: { Sequelize } }: Packages) => {
      const { Validator } = Sequelize as unknown as { Validator: Members }
      // What adds a validator judges nothing.
      const names = Object.keys(Validator).filter(name => typeof Validator[name] === 'function' && name !== 'extend')
      return names.sort().map(name => [name, attempt(() => Validator[name]?.(text))])
    }
    const [ofBundled, ofReal] = both(judge)
    expect(ofBundled.length).toBeGreaterThan(100)
    expect(ofBundled).toEqual(ofReal)
  })

  it('refuses a row for the same reasons', async () => {
    const reasons = both(async packages => {
      const invalid = modelsOf(packages).Person.build({ ...row, email: 'no address at all, and too long' })
      return invalid.validate().then(
        () => 'valid',
        (error: { errors: { message: string; path: string }[] }) => error.errors.map(({ message, path }) => [path, message]),
      )
    })
    const [ofBundled, ofReal] = await Promise.all(reasons)
    expect(ofBundled).toHaveLength(2)
    expect(ofBundled).toEqual(ofReal)
  })

  it('has no other dialect than that of PostgreSQL', () => {
    expect(() => new bundled.sequelize.Sequelize({ dialect: 'sqlite' })).toThrow('Only the PostgreSQL dialect is in the bundle.')
  })
})

describe('lodash, one by one', () => {
  const values = [undefined, null, 0, 'aB c', [], [3, [1, [2]], 1], { a: { b: 1 }, c: [1] }, { a: 1, A: 2 }, new Map([[1, 2]]), new Date(0), /x/]
  const seconds = [undefined, 'a', 'a.b', ['a'], [1, 3], { a: 1 }, 1, (value: unknown) => value]

  it('does what it does in one piece, under every name', () => {
    // These change lodash itself, give something else each time, or a stack.
    const others = /^(attempt|noConflict|runInContext|mixin|uniqueId|now|random|sample|sampleSize|shuffle|delay|defer|debounce|throttle)$/
    const names = Object.keys(real.lodash).filter(name => !others.test(name) && typeof real.lodash[name] === 'function')
    expect(names.length).toBeGreaterThan(280)
    const told = (value: unknown) => (typeof value === 'function' || isWrapped(value) ? typeof value : value)
    const results = ({ lodash }: Packages, name: string) =>
      values.flatMap(first =>
        seconds.map(second =>
          inspect(
            attempt(() => told(lodash[name]?.(structuredClone(first), second))),
            { depth: 5 },
          ),
        ),
      )
    for (const name of names) expect({ [name]: results(bundled, name) }).toEqual({ [name]: results(real, name) })
  })

  it('chains and wraps', () => {
    const double = (n: number) => n * 2
    expectSame(({ lodash }) => [lodash([1, 2]).map?.(double), lodash.chain?.({ a: 1 }), lodash.VERSION].map(one => JSON.stringify(one)))
  })

  it('chains what a search for one row chains, and anything else', () => {
    type Chain = Record<'values' | 'filter' | 'map' | 'value' | 'reverse' | 'sortBy', (...given: unknown[]) => Chain>
    const keys = { one: { fields: ['a'], column: 'a' }, two: { fields: ['b', 'c'], column: false }, none: {} }
    const single = (key: { fields?: string[] }) => key.fields?.length === 1
    for (const value of [keys, [], undefined, [keys.one, keys.two]]) {
      expectSame(({ lodash }) => (lodash.chain?.(value) as Chain).values().filter(single).map('column').value())
      expectSame(({ lodash }) => (lodash.chain?.(value) as Chain).values().map('column').sortBy().reverse().value())
    }
  })

  function isWrapped(value: unknown): boolean {
    return typeof value === 'object' && value !== null && '__wrapped__' in value
  }
})

describe('semver, one by one', () => {
  it.each(['14.0.0', 'v9.6', '17.2 (Debian)', '', 'x', '10.0.0-rc.1'])('reads and compares %j as before', version => {
    for (const name of ['coerce', 'valid', 'gte', 'lt', 'satisfies', 'major']) {
      expectSame(({ semver }) => String(semver[name]?.(version, '9.5.0')))
    }
  })
})

describe('pino without its threads', () => {
  const lines: string[] = []
  function log({ pino }: Packages, destination: pino.DestinationStream) {
    const logger = pino(
      { base: { function: 'f' }, timestamp: () => ',"time":"t"', redact: ['secret', '*.secret'], formatters: { level: label => ({ level: label }) } },
      destination,
    )
    logger.debug('not shown')
    logger.info({ event: 'a', secret: 's', deep: { secret: 's', list: [1, null, undefined], at: new Date(0), big: 1n } }, 'said %s and %d', 'x', 2)
    const circle: Record<string, unknown> = { name: 'circle' }
    circle.self = circle
    logger.child({ requestId: 'r' }).error({ circle, text: 'line\nbreak "quoted" \u2028 \ud800' })
  }

  it('writes the same lines', () => {
    expectSame(packages => {
      lines.length = 0
      log(packages, { write: line => void lines.push(line) })
      return [...lines]
    })
    expect(lines).toHaveLength(2)
  })

  it('writes them to the same place at once, and knows a destination when it is given one', () => {
    expectSame(packages => {
      const dest = join(checkout.folder, packages === bundled ? 'bundled.log' : 'real.log')
      log(packages, packages.pino.destination({ dest, sync: true }))
      packages.pino(packages.pino.destination({ dest, sync: true })).info('given alone')
      return readFileSync(dest, 'utf8').replaceAll(/"(time|pid)":\d+/g, '')
    })
  })

  it('has no transports, and says so', () => {
    expect(() => bundled.pino.transport({ target: 'pino/file' })).toThrow('There are no transports in the bundle')
    expect(() => bundled.pino.multistream([])).toThrow('There is no multistream in the bundle')
  })
})

describe('debug without the variable DEBUG', () => {
  it('writes nothing', () => {
    expectSame(({ debug }) => [debug('sequelize:pool').enabled, debug('sequelize:pool')('x %s', 1)])
  })
})
