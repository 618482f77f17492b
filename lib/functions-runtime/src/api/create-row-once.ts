import type { Attributes, CreationAttributes, Model, ModelStatic } from 'sequelize'
import { v7 as uuidv7 } from 'uuid'
import { DeadlineExceededError } from '../../../invocation/src/errors.ts'
import { violatedUniqueConstraint } from '../../../resilient-sequelize/src/errors/classify-error.ts'
import type { ApplicationModels } from '../database/models.ts'
import type { DatabaseService, Work } from '../database/service.ts'
import { requestInProgress, requireSameRequest, rowIdOf, type Claim } from './claim.ts'

/** A row that a request creates. Its model has a UUID as its primary key, and `requestHash`: BLOB, which may be null. */
export interface RowToCreate<Row extends Model> {
  /** Without one every call creates another row. */
  readonly claim: Claim | undefined
  readonly model: (models: ApplicationModels) => ModelStatic<Row>
  /** All but the primary key and `requestHash`. */
  readonly values: Partial<CreationAttributes<Row>>
  /** What has to hold, such as that the owner of the row exists: runs first in the same transaction, and refuses by throwing. A row that is there already wins over it. */
  readonly check?: (work: Work) => Promise<void>
  /** What else belongs into the same transaction. It runs only when this call creates the row. */
  readonly complete?: (row: Row, work: Work) => Promise<void>
}

/**
 * Creates a row once for each idempotency key, and returns it; a later call with the key returns the row as it is then. The
 * primary key is made of the caller and the key, so the database decides which of two calls creates it. A key is free again after
 * its row was deleted. Must not be called within another unit of work.
 * @throws ApplicationError 422 `idempotency-key-reused` when the key came with another request, 409 `request-in-progress`.
 */
export async function createRowOnce<Row extends Model>(operationName: string, database: DatabaseService, options: RowToCreate<Row>): Promise<Row> {
  const { claim, values, check, complete } = options
  if (database.isInUnit) throw new TypeError(`${operationName}: createRowOnce begins a transaction of its own, call it outside of execute`)
  const id = claim === undefined ? uuidv7() : rowIdOf(claim)
  let isChecking = false
  let isClaiming = false
  let isProven = false

  const create = async (work: Work): Promise<Row> => {
    const model = modelOf(options, work)
    isChecking = true
    await check?.(work)
    isChecking = false
    const row = { ...values, [model.primaryKeyAttribute]: id, ...(claim && { requestHash: claim.requestHash }) }
    isClaiming = claim !== undefined
    const created = await model.create(row as unknown as CreationAttributes<Row>)
    isClaiming = false
    await complete?.(created, work)
    return created
  }
  const find = async (work: Work): Promise<Row | null> => modelOf(options, work).findByPk(id)
  const findStored = async (): Promise<Row | undefined> => (await database.execute(`${operationName}.find`, find, { mode: 'read' })) ?? undefined

  try {
    const created = await database.execute(operationName, create, {
      wasCommitted: async work => (isProven = (await find(work)) !== null),
    })
    if (!isProven) return created
  } catch (error) {
    if (isClaiming && error instanceof DeadlineExceededError) throw requestInProgress(error)
    // What the check asks for may have ended since the row was created.
    const mayBeStored = isChecking || violatedUniqueConstraint(error) !== undefined
    const stored = claim !== undefined && mayBeStored ? await findStored() : undefined
    // The check refused a new row, or another constraint of the table decided.
    if (stored === undefined || claim === undefined) throw error
    return sameRow(claim, stored)
  }
  // The answer to COMMIT was lost. The row may be that of another call with the same key.
  const stored = await findStored()
  if (stored === undefined) throw new TypeError(`${operationName}: the row was deleted right after it was created`)
  return claim === undefined ? stored : sameRow(claim, stored)
}

function sameRow<Row extends Model>(claim: Claim, row: Row): Row {
  requireSameRequest(claim, row.get('requestHash' as keyof Attributes<Row>) as Buffer | null)
  return row
}

function modelOf<Row extends Model>({ claim, model: pick }: RowToCreate<Row>, { models }: Work): ModelStatic<Row> {
  const model = pick(models)
  const attributes: Readonly<Record<string, unknown>> = model.getAttributes()
  if (model.primaryKeyAttributes.length !== 1) throw new TypeError(`${model.name} needs one primary key, of the type UUID`)
  if (claim !== undefined && !Object.hasOwn(attributes, 'requestHash'))
    throw new TypeError(`${model.name} has no attribute requestHash: add one of the type BLOB that may be null`)
  return model
}
