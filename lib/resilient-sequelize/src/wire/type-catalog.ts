import type pg from 'pg'
import type { Model, ModelStatic, Sequelize } from 'sequelize'
import type { GuardedClient } from './guarded-client.ts'
import { internalsOf, readTypes, type TypeIds } from './sequelize-internals.ts'

/**
 * Ids of the built-in types for which Sequelize has parsers, and of the ranges over them. They are the same on every
 * server (PostgreSQL's pg_type.dat and pg_range.dat), so that no connection has to ask for them.
 */
const BUILT_IN_TYPES: TypeIds = {
  bool: { oid: 16, arrayOid: 1000 },
  bytea: { oid: 17, arrayOid: 1001 },
  char: { oid: 18, arrayOid: 1002 },
  int8: { oid: 20, arrayOid: 1016, rangeOid: 3926, arrayRangeOid: 3927 },
  int2: { oid: 21, arrayOid: 1005 },
  int4: { oid: 23, arrayOid: 1007, rangeOid: 3904, arrayRangeOid: 3905 },
  text: { oid: 25, arrayOid: 1009 },
  float4: { oid: 700, arrayOid: 1021 },
  float8: { oid: 701, arrayOid: 1022 },
  bpchar: { oid: 1042, arrayOid: 1014 },
  varchar: { oid: 1043, arrayOid: 1015 },
  date: { oid: 1082, arrayOid: 1182, rangeOid: 3912, arrayRangeOid: 3913 },
  timestamp: { oid: 1114, arrayOid: 1115, rangeOid: 3908, arrayRangeOid: 3909 },
  timestamptz: { oid: 1184, arrayOid: 1185, rangeOid: 3910, arrayRangeOid: 3911 },
  numeric: { oid: 1700, arrayOid: 1231, rangeOid: 3906, arrayRangeOid: 3907 },
}

/** PostgreSQL's FirstNormalObjectId: types from here on differ from database to database. */
const FIRST_OWN_TYPE = 16_384

/** Kinds of attributes whose type has an id of this database's own. */
const OWN_TYPES = new Set(['ENUM', 'HSTORE', 'CITEXT', 'GEOMETRY', 'GEOGRAPHY'])

type Parser = (text: string) => unknown

type RawConnection = Pick<GuardedClient, 'sendRaw' | 'guard'>

/**
 * What is known of the database's types. Enums, citext, hstore and other types of an extension have ids that only the
 * server knows: they are read with the first batch of a connection when a model declares such a type, else when a result
 * holds an id that is not known.
 */
export class TypeCatalog {
  readonly #sequelize: Sequelize
  /** Ids that the server was asked for without telling of a parser: composites and the like. */
  readonly #withoutParser = new Set<number>()
  #reading: Promise<void> | undefined
  #isRead = false
  /** How many of the models were looked at, and whether one of them declares such a type. */
  #looked = 0
  #needed = false

  constructor(sequelize: Sequelize) {
    this.#sequelize = sequelize
    const { connectionManager, dialect } = internalsOf(sequelize)
    connectionManager.nameOidMap = structuredClone(BUILT_IN_TYPES)
    connectionManager.refreshTypeParser(dialect.DataTypes)
  }

  /** Sends the catalogue statement ahead of a connection's first statement if a model needs it; waits for nothing. */
  prefetch(connection: RawConnection): void {
    if (this.#isRead || this.#reading !== undefined || !this.#isNeeded()) return
    void this.#read(connection)
  }

  /** Reads again what a result shows of types that were not known when it was parsed; `undefined` when there are none. */
  complete(connection: RawConnection, results: readonly pg.QueryResult[]): Promise<void> | undefined {
    if (!results.some(({ fields }) => fields.some(({ dataTypeID }) => !this.#knows(dataTypeID)))) return undefined
    const unknown = results.flatMap(({ fields }) => fields).filter(({ dataTypeID }) => !this.#knows(dataTypeID))
    return this.#read(connection).then(() => {
      for (const { dataTypeID } of unknown) if (!this.#parserOf(dataTypeID)) this.#withoutParser.add(dataTypeID)
      for (const result of results) this.#parseAgain(result, new Set(unknown.map(({ dataTypeID }) => dataTypeID)))
    })
  }

  #knows(id: number): boolean {
    return id < FIRST_OWN_TYPE || this.#withoutParser.has(id) || this.#parserOf(id) !== undefined
  }

  #parserOf(id: number): Parser | undefined {
    return internalsOf(this.#sequelize).connectionManager.oidParserMap.get(id) as Parser | undefined
  }

  // Sequelize knows how to read the catalogue; it asks over whatever has a `query`.
  #read(connection: RawConnection): Promise<void> {
    this.#reading ??= readTypes(this.#sequelize, { query: text => connection.sendRaw(text, undefined, { onError: noteOwn(connection) }) })
      .then(
        () => void (this.#isRead = true),
        () => undefined,
      )
      .finally(() => (this.#reading = undefined))
    return this.#reading
  }

  #parseAgain({ fields, rows }: pg.QueryResult, ids: ReadonlySet<number>): void {
    for (const [index, { name, dataTypeID }] of fields.entries()) {
      const parse = ids.has(dataTypeID) ? this.#parserOf(dataTypeID) : undefined
      if (parse === undefined) continue
      for (const row of rows as Record<string | number, unknown>[]) {
        const key = Array.isArray(row) ? index : name
        const value = row[key]
        if (typeof value === 'string') row[key] = parse(value)
      }
    }
  }

  // Models are defined once, and looked at once: this stands in the way of every operation.
  #isNeeded(): boolean {
    const { models } = internalsOf(this.#sequelize).modelManager
    for (; this.#looked < models.length && !this.#needed; this.#looked += 1)
      this.#needed = models.slice(this.#looked, this.#looked + 1).some(declaresOwnType)
    return this.#needed
  }
}

/** Returns a function that reports the error of the statement to the unit of work in whose transaction it runs, if any. */
function noteOwn({ guard }: RawConnection): (error: unknown) => void {
  const expiry = guard?.root.expiry?.() ?? Number.POSITIVE_INFINITY
  return error => guard?.failed?.(error, 'own', performance.now() >= expiry)
}

function declaresOwnType(model: ModelStatic<Model>): boolean {
  return Object.values(model.getAttributes()).some(({ type }) => OWN_TYPES.has(keyOf(type)))
}

function keyOf(type: unknown): string {
  const { key, type: element } = type as { key?: string; type?: unknown }
  return key === 'ARRAY' ? keyOf(element) : (key ?? '')
}
