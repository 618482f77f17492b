import { type CallOptions } from './repetition.ts'

type Models = Parameters<NonNullable<CallOptions['wasCommitted']>>[0]

/** Whether an operation has left a row: for `wasCommitted`. */
export async function isThere(models: Models, operation: string): Promise<boolean> {
  const rows = await models.User.sequelize?.query('SELECT 1 FROM effects WHERE operation = $operation', {
    bind: { operation },
    type: 'SELECT' as never,
  })
  return (rows?.length ?? 0) > 0
}
