import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { Sequelize, Transaction } from 'sequelize'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { CodedError } from '../../invocation/src/errors.ts'
import { assertInternals, UNTESTED_VERSION, type Libraries } from '../src/wire/assert-internals.ts'
import type { Member } from '../src/wire/members.ts'
import { missingPgMembers, PG_MEMBERS, queryClassOf, TESTED_PG } from '../src/wire/pg-internals.ts'
import {
  internalsOf,
  missingSequelizeMembers,
  SEQUELIZE_MEMBERS,
  TESTED_SEQUELIZE,
  type DialectQuery,
  type TransactionClass,
} from '../src/wire/sequelize-internals.ts'

const SOURCES = join(import.meta.dirname, '../src')
const INTERNALS = ['wire/pg-internals.ts', 'wire/sequelize-internals.ts']
const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
const codeOf = (file: string) => readFileSync(join(SOURCES, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')

const BaseTransaction = Transaction as unknown as TransactionClass
const newSequelize = () => new Sequelize('postgres://user@localhost/none', { logging: false })
const statics = (version = `${TESTED_SEQUELIZE}.8`) => ({ Transaction: BaseTransaction, version })

describe('the private members', () => {
  it('are all in the installed pg', () => expect(missingPgMembers(pg)).toEqual([]))

  it('are all in the installed Sequelize', () => expect(missingSequelizeMembers(newSequelize(), BaseTransaction)).toEqual([]))

  it('are all used by the sources', () => {
    // Declaring or listing a member is no use of it.
    const declarations = /^(?:export )?interface [\s\S]*?^\}$|^ {2}\{ of: .*$/gm
    const code = files.map(file => (INTERNALS.includes(file) ? codeOf(file).replace(declarations, '') : codeOf(file))).join('\n')
    const unused = [...PG_MEMBERS, ...SEQUELIZE_MEMBERS].filter(({ name }) => !new RegExp(`(?<![\\w$])${name}(?![\\w$])`).test(code))
    expect(unused).toEqual([])
  })

  it.each([...PG_MEMBERS, ...SEQUELIZE_MEMBERS].filter(({ name }) => name.startsWith('_')))(
    '$of.$name is used in wire/*-internals.ts alone',
    ({ name }) => {
      expect(files.filter(file => new RegExp(`(?<![\\w$])${name}(?![\\w$])`).test(codeOf(file)))).toEqual([expect.toBeOneOf(INTERNALS)])
    },
  )

  it('are reached by no other file', () => {
    const reaches = /\._[a-z]|['"`]_[a-z]|\b(?:override|get|set|async)\s+_[a-z]|\{\s*_[a-z]|as unknown as (?:readonly )?\{/i
    const others = files.filter(file => !INTERNALS.includes(file))
    expect(others.length).toBeGreaterThan(40)
    expect(others.filter(file => reaches.test(codeOf(file)))).toEqual([])
    expect(INTERNALS.filter(file => reaches.test(codeOf(file)))).toEqual(INTERNALS)
  })
})

/** The object without one of its members. */
function without<Place extends object>(place: Place, name: string): Place {
  return new Proxy(place, {
    has: (target, key) => key !== name && Reflect.has(target, key),
    get: (target, key): unknown => (key === name ? undefined : Reflect.get(target, key)),
  })
}

/** The object with another value for one of its members. */
function having<Place extends object>(place: Place, name: string, value: unknown): Place {
  return new Proxy(place, { get: (target, key): unknown => (key === name ? value : Reflect.get(target, key)) })
}

/** A subclass whose instances are what `change` makes of them. */
function changed<Class extends new (...given: never[]) => object>(Class: Class, change: (instance: InstanceType<Class>) => object): Class {
  return new Proxy(Class, { construct: (target, given) => change(Reflect.construct(target, given) as InstanceType<Class>) })
}

function pgWithout({ of, name }: Member): Libraries['pg'] {
  const { Client } = pg
  switch (of) {
    case 'Client':
      return { Client: without(Client, name) }
    case 'Client.prototype':
      return { Client: subclassWithout(Client, name) }
    case 'client':
      return { Client: changed(Client, client => without(client, name)) }
    case 'client.connection':
      return { Client: changed(Client, client => having(client, 'connection', without(client.connection, name))) }
    case 'query':
      return {
        Client: having(
          Client,
          'Query',
          changed(queryClassOf(Client), query => without(query, name)),
        ),
      }
    default:
      throw new Error(`no stub for ${of}`)
  }
}

function sequelizeWithout({ of, name }: Member): Pick<Libraries, 'sequelize' | 'Sequelize'> {
  const sequelize = newSequelize()
  const { connectionManager, dialect, modelManager, options } = internalsOf(sequelize)
  const instance = (stub: Sequelize) => ({ sequelize: stub, Sequelize: statics() })
  switch (of) {
    case 'sequelize':
      return instance(without(sequelize, name))
    case 'sequelize.options':
      return instance(having(sequelize, 'options', without(options, name)))
    case 'sequelize.dialect':
      return instance(having(sequelize, 'dialect', without(dialect, name)))
    case 'sequelize.dialect.Query':
      return instance(having(sequelize, 'dialect', having(dialect, 'Query', without(dialect.Query, name))))
    case 'sequelize.dialect.Query.prototype':
      return instance(having(sequelize, 'dialect', having(dialect, 'Query', subclassWithout<DialectQuery>(dialect.Query, name))))
    case 'sequelize.modelManager':
      return instance(having(sequelize, 'modelManager', without(modelManager, name)))
    case 'queryInterface':
      return instance(having(sequelize, 'getQueryInterface', () => without(sequelize.getQueryInterface(), name)))
    case 'connectionManager':
      return instance(having(sequelize, 'connectionManager', without(connectionManager, name)))
    case 'connectionManager.pool':
      return instance(having(sequelize, 'connectionManager', having(connectionManager, 'pool', without(connectionManager.pool, name))))
    case 'transaction': {
      const Stub = changed(BaseTransaction, transaction => without(transaction, name))
      return { sequelize, Sequelize: { ...statics(), Transaction: Stub } }
    }
    default:
      throw new Error(`no stub for ${of}`)
  }
}

/** A subclass that hides a method of its parent. */
function subclassWithout<Class extends new (...given: never[]) => object>(Class: Class, name: string): Class {
  const Parent = Class as unknown as new (...given: unknown[]) => object
  const Stub = class extends Parent {}
  Object.defineProperty(Stub.prototype, name, { value: undefined })
  return Stub as unknown as Class
}

function errorOf(libraries: Libraries): unknown {
  try {
    assertInternals(libraries)
  } catch (error) {
    return error
  }
  return undefined
}

describe('assertInternals', () => {
  afterEach(() => vi.restoreAllMocks())

  const stubs = [
    ...PG_MEMBERS.map(member => ({ member, stub: () => ({ sequelize: newSequelize(), Sequelize: statics(), pg: pgWithout(member) }) })),
    ...SEQUELIZE_MEMBERS.map(member => ({ member, stub: () => ({ ...sequelizeWithout(member), pg }) })),
  ]
  it.each(stubs)('refuses a library without $member.of.$member.name', ({ member, stub }) => {
    const error = errorOf(stub())
    const missing = `${member.of}.${member.name}`
    expect(error).toBeInstanceOf(CodedError)
    expect(error).toMatchObject({ code: 'unsupported-library', details: { missing: expect.arrayContaining([missing]) as unknown } })
    for (const part of [missing, `sequelize ${TESTED_SEQUELIZE}`, `pg ${TESTED_PG}`]) expect((error as Error).message).toContain(part)
  })

  it('names the members of a wrong type', () => {
    const sequelize = having(newSequelize(), 'hasHook', 'a text')
    expect(errorOf({ sequelize, Sequelize: statics(), pg })).toMatchObject({ details: { missing: ['sequelize.hasHook'] } })
  })

  const warnings = () => vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  const [major = 0, minor = 0] = TESTED_SEQUELIZE.split('.').map(Number)
  const assertVersion = (version: string) => assertInternals({ sequelize: newSequelize(), Sequelize: statics(version), pg })

  it.each([`${major}.${minor + 1}.0`, `${major + 1}.0.0-beta.1`])('warns once of untested Sequelize %s', version => {
    const emit = warnings()
    assertVersion(version)
    assertVersion(version)
    expect(emit.mock.calls.filter(([message]) => String(message).includes('sequelize'))).toEqual([
      [expect.stringContaining(`tested with sequelize ${TESTED_SEQUELIZE}, not with sequelize ${version}`), { code: UNTESTED_VERSION }],
    ])
  })

  it.each([`${major}.${minor}.999`, `${major}.${minor - 1}.0`, `${major - 1}.99.0`])('is silent about Sequelize %s', version => {
    const emit = warnings()
    assertVersion(version)
    expect(emit.mock.calls.filter(([message]) => String(message).includes(version))).toEqual([])
  })

  it('accepts a Sequelize that cannot read its version', () => {
    const Bundled = Object.defineProperty({ ...statics() }, 'version', {
      get() {
        throw new Error('no package.json')
      },
    })
    expect(errorOf({ sequelize: newSequelize(), Sequelize: Bundled, pg })).toBeUndefined()
  })

  /** Another copy of pg, with the package.json that is given. */
  function copyOfPg(manifest: object | undefined): Libraries['pg'] & Disposable {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'pg-copy-')))
    mkdirSync(join(root, 'lib'))
    const own = createRequire(import.meta.url).resolve('pg')
    writeFileSync(join(root, 'lib/client.js'), `module.exports = class extends require(${JSON.stringify(own)}).Client {}`)
    if (manifest !== undefined) writeFileSync(join(root, 'package.json'), JSON.stringify(manifest))
    const Client = createRequire(import.meta.url)(join(root, 'lib/client.js')) as typeof pg.Client
    return { Client, [Symbol.dispose]: () => rmSync(root, { recursive: true }) }
  }
  const [pgMajor = 0, pgMinor = 0] = TESTED_PG.split('.').map(Number)

  it('warns once of an untested copy of pg', () => {
    const emit = warnings()
    using copy = copyOfPg({ name: 'pg', version: `${pgMajor}.${pgMinor + 1}.2` })
    for (let times = 0; times < 2; times += 1) assertInternals({ sequelize: newSequelize(), Sequelize: statics(), pg: copy })
    expect(emit.mock.calls).toEqual([
      [expect.stringContaining(`tested with pg ${TESTED_PG}, not with pg ${pgMajor}.${pgMinor + 1}.2`), { code: UNTESTED_VERSION }],
    ])
  })

  it.each([
    ['a patch of the tested version', { name: 'pg', version: `${pgMajor}.${pgMinor}.999` }],
    ['a copy without package.json', undefined],
    ['a package that contains pg', { name: 'application', version: '99.0.0' }],
    ['a package.json without a version', { name: 'pg' }],
  ])('is silent about %s', (_, manifest) => {
    const emit = warnings()
    using copy = copyOfPg(manifest)
    expect(errorOf({ sequelize: newSequelize(), Sequelize: statics(), pg: copy })).toBeUndefined()
    expect(emit).not.toHaveBeenCalled()
  })
})
