import type { Attributes, FindOptions, Model, ModelStatic, Sequelize, WhereOptions } from 'sequelize'
import type { Page } from '../content/page.ts'
import { textOfConditions } from './conditions.ts'
import { ID_FORMS } from './id-forms.ts'
import { readPlace, writePlace, type Place } from './place.ts'

type Scalar = string | number | boolean | null

/** A part of the rows of a model, newest first. */
export interface PageToFind<Row extends Model, Item> {
  /** How much of the list, as `pageQuery` reads it. */
  readonly query: { readonly limit: number; readonly cursor?: string | undefined }
  /** What each row has to be; one that is undefined counts for nothing. */
  readonly filters?: Readonly<Record<string, Scalar | undefined>>
  /** Further conditions, as Sequelize takes them; none of them may be undefined. One that follows the clock is a `Date`. */
  readonly where?: WhereOptions<Attributes<Row>>
  /** Default: the time of creation, then the id; the id alone for a model without `createdAt`. */
  readonly by?: 'createdAt' | 'id'
  readonly view: (row: Row) => Item
}

const CREATED_AT = 'createdAt'
const PLACE = 'placeInPage'

/**
 * Finds a page of a model's rows, newest first, within a unit of work. Rows that are created meanwhile move no other page. Rows
 * without a time come first, as PostgreSQL sorts them.
 * @throws BadRequestError `cursor-invalid` for a cursor of another list.
 */
export async function findPage<Row extends Model, Item>(model: ModelStatic<Row>, options: PageToFind<Row, Item>): Promise<Page<Item>> {
  const { query, filters = {}, where, view } = options
  const { key, fits } = primaryKeyOf(model)
  const isDated = (options.by ?? (CREATED_AT in model.getAttributes() ? CREATED_AT : 'id')) === CREATED_AT
  const given = definedOnly(filters)
  const list = [model.tableName, String(isDated), textOfConditions(given), textOfConditions(where ?? {})]
  const place = readPlace(query.cursor, list, fits)
  const { Op } = await import('sequelize')
  const sequelize = sequelizeOf(model)
  const before = place === undefined ? [] : isDated ? beforeInstant(place) : [{ [key]: { [Op.lt]: place.id } }]

  function beforeInstant({ at, id }: Place) {
    const hasLowerId = { [key]: { [Op.lt]: id } }
    if (at === undefined) return [{ [Op.or]: [{ [CREATED_AT]: { [Op.ne]: null } }, hasLowerId] }]
    // Not a product, which would be rounded to 53 bits.
    const instant = sequelize.literal(`timestamptz 'epoch' + interval '${BigInt(at)} microseconds'`)
    // The first condition is the one that an index can serve.
    return [{ [CREATED_AT]: { [Op.lte]: instant } }, { [Op.or]: [{ [CREATED_AT]: { [Op.lt]: instant } }, hasLowerId] }]
  }

  const rows = await model.findAll({
    where: { [Op.and]: [where ?? {}, given, ...before] },
    order: [...(isDated ? [[CREATED_AT, 'DESC']] : []), [key, 'DESC']],
    limit: query.limit + 1,
    ...(isDated && { attributes: { include: [[sequelize.literal(microsecondsOf(model, sequelize)), PLACE]] } }),
  } as unknown as FindOptions<Attributes<Row>>)
  const shown = rows.slice(0, query.limit)
  const last = shown.at(-1)
  const valueOf = (row: Row, name: string) => row.get(name as keyof Attributes<Row>) as unknown
  const placeOf = (row: Row): Place => ({
    at: isDated ? ((valueOf(row, PLACE) as string | null) ?? undefined) : undefined,
    id: String(valueOf(row, key)),
  })
  return { items: shown.map(view), next: rows.length > query.limit && last !== undefined ? writePlace(placeOf(last), list) : null }
}

/** @throws TypeError for a primary key whose order is unknown. */
function primaryKeyOf(model: ModelStatic<Model>): { readonly key: string; readonly fits: (id: string) => boolean } {
  const [key = '', ...others] = model.primaryKeyAttributes
  const { type } = (model.getAttributes() as Record<string, { readonly type: { readonly key?: string } } | undefined>)[key] ?? {}
  const fits = ID_FORMS[type?.key ?? '']
  if (fits === undefined || others.length > 0)
    throw new TypeError(`${model.name} needs one primary key, of one of the types ${Object.keys(ID_FORMS).join(', ')}`)
  return { key, fits }
}

function sequelizeOf(model: ModelStatic<Model>): Sequelize {
  if (model.sequelize === undefined) throw new TypeError(`${model.name} belongs to no Sequelize instance`)
  return model.sequelize
}

// JavaScript has instants in ms, PostgreSQL in µs: rows would be left out, or come twice.
function microsecondsOf(model: ModelStatic<Model>, sequelize: Sequelize): string {
  const { field = CREATED_AT } = (model.getAttributes() as Record<string, { readonly field?: string }>)[CREATED_AT] ?? {}
  const quoted = [model.name, field].map(name => sequelize.getQueryInterface().quoteIdentifier(name, true)).join('.')
  return `(extract(epoch FROM ${quoted}) * 1000000)::bigint::text`
}

function definedOnly(filters: Readonly<Record<string, Scalar | undefined>>): Record<string, Scalar> {
  return Object.fromEntries(Object.entries(filters).filter((entry): entry is [string, Scalar] => entry[1] !== undefined))
}
