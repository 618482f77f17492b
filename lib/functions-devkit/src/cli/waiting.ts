import type { DatabaseSettings } from '../../../functions-runtime/src/database/settings.ts'
import { classifyError } from '../../../resilient-sequelize/src/errors/classify-error.ts'
import { openConnection } from './connection.ts'

export interface ProbeOptions {
  /** Shown by the server for the session. */
  readonly name: string
  readonly withinMs: number
}

/** Returns why the database cannot be reached now, if a later attempt may succeed; undefined when it answers, or never will. */
export async function findReasonToWait(settings: DatabaseSettings, options: ProbeOptions): Promise<unknown> {
  try {
    const client = await openConnection(settings, options)
    await client.end()
    return undefined
  } catch (error) {
    return classifyError(error).transient ? error : undefined
  }
}
