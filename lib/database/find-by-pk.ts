import type { FindOptions, Identifier, Model, ModelStatic, Sequelize, WhereOptions } from 'sequelize'
import type { Work } from '../resilient-sequelize/src/operation/work.ts'

/** Parts of sequelize that its types hide. */
interface Finder {
  readonly primaryKeyAttribute: string
  readonly rawAttributes: Readonly<Record<string, { readonly field?: string }>>
  readonly _hasVirtualAttributes: boolean
  readonly _scope: object
  readonly options: { readonly paranoid?: boolean; readonly rejectOnEmpty?: unknown }
  readonly sequelize: Hooked & Sequelize
  hasHook(name: string): boolean
  getTableName(): unknown
}
interface Hooked {
  hasHook(name: string): boolean
}
interface SelectGenerator {
  selectQuery(table: unknown, options: { attributes: unknown[]; where: WhereOptions }, model: unknown): string
}

const FIND_HOOKS = ['beforeFind', 'beforeFindAfterExpandIncludeAll', 'beforeFindAfterOptions', 'afterFind']

interface Plan {
  readonly text: string
  readonly attributes: string[]
}
const plans = new WeakMap<object, Plan>()

/**
 * A row by its primary key, as an instance of its model. Where nothing more is asked for, the statement is the same each
 * time but for the key: sequelize writes it once. Hooks, scopes, virtual attributes and options take its own way.
 */
export async function findByPk<Row extends Model>(
  model: ModelStatic<Row>,
  id: Identifier,
  find: FindOptions | undefined,
  { query }: Pick<Work, 'query'>,
): Promise<Row | null> {
  const finder = model as unknown as Finder
  const plain = (typeof id === 'string' || typeof id === 'number') && Object.keys(find ?? {}).length === 0 && isPlain(finder)
  if (!plain) return model.findByPk(id, find as Omit<FindOptions, 'where'>)
  const { text, attributes } = planOf(finder)
  const [values] = await query<object>(text, { id })
  return values === undefined ? null : model.build(values as never, { isNewRecord: false, raw: true, attributes } as never)
}

function isPlain(finder: Finder): boolean {
  const { paranoid, rejectOnEmpty } = finder.options
  if (paranoid || rejectOnEmpty || finder._hasVirtualAttributes || Object.keys(finder._scope).length > 0) return false
  return !FIND_HOOKS.some(hook => finder.hasHook(hook) || finder.sequelize.hasHook(hook))
}

function planOf(finder: Finder): Plan {
  const known = plans.get(finder)
  if (known !== undefined) return known
  const { rawAttributes, primaryKeyAttribute, sequelize } = finder
  const attributes = Object.keys(rawAttributes)
  const named = attributes.map(attribute => {
    const field = rawAttributes[attribute]?.field ?? attribute
    return field === attribute ? attribute : [field, attribute]
  })
  const generator = sequelize.getQueryInterface().queryGenerator as SelectGenerator
  const key = rawAttributes[primaryKeyAttribute]?.field ?? primaryKeyAttribute
  const { literal, Op } = sequelize.constructor as typeof Sequelize & { Op: { eq: symbol } }
  const where = { [key]: { [Op.eq]: literal('$id') } } as WhereOptions
  const plan = { text: generator.selectQuery(finder.getTableName(), { attributes: named, where }, finder), attributes }
  plans.set(finder, plan)
  return plan
}
