import type { ConnectionStatus, DatabaseManager } from '../database/manager.ts'

/** What the database check found. */
export interface DatabaseHealth {
  readonly status: 'pass' | 'fail'
  /** Time that the statement took, connecting included, in ms. */
  readonly ms: number
  readonly connection: Omit<ConnectionStatus, 'lastSuccessAt' | 'lastFailureAt' | 'lastErrorCode'> & {
    readonly lastSuccessAt: string | null
    readonly lastFailureAt: string | null
    readonly lastErrorCode: string | null
  }
}

/** Sends a real statement through the pool and tells what became of it; never rejects. */
export async function checkDatabase(manager: DatabaseManager, { withinMs }: { withinMs: number }): Promise<DatabaseHealth> {
  const startedAt = performance.now()
  const healthy = await manager.isConnectionHealthy(withinMs)
  const connection = manager.getConnectionStatus()
  return {
    status: healthy ? 'pass' : 'fail',
    ms: Math.round(performance.now() - startedAt),
    connection: {
      ...connection,
      lastSuccessAt: instant(connection.lastSuccessAt),
      lastFailureAt: instant(connection.lastFailureAt),
      lastErrorCode: connection.lastErrorCode ?? null,
    },
  }
}

function instant(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString()
}
