import { asLine } from '../../../functions-runtime/src/foreign-text.ts'
import { classifyError } from '../../../resilient-sequelize/src/errors/classify-error.ts'
import { redactMessage } from '../../../functions-runtime/src/telemetry/redact.ts'
import { inWords } from '../server/report.ts'

// Characters of an error of the server, which may name what others made.
const LONGEST_MESSAGE = 2_000

/** Returns the reason of an error. What PostgreSQL and the network say has a code, and quotes hosts and users: these are taken out. */
export function withoutHost(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  if (!(error instanceof Error) || typeof code !== 'string') return inWords(error)
  return error.message === '' ? code : asLine(redactMessage(error.message), { maxLength: LONGEST_MESSAGE })
}

/** Returns the reason of an error of the local database, in full: nothing about this machine is hidden on it. */
export function ofLocalDatabase(error: unknown): string {
  if (classifyError(error).connection === 'keep') return inWords(error)
  return `The local database does not answer (${inWords(error)}): the terminal of npm start says why`
}
