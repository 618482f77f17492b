import { inspect } from 'node:util'
import { type Functions } from './functions.ts'

const MIGRATE = 'ops/migrate'

/**
 * Brings the database up to date by calling the function that does it on the platform too, and returns its answer.
 * @throws Error with the answer when it fails.
 */
export async function migrate(functions: Functions): Promise<Readonly<Record<string, unknown>>> {
  const called = functions.byQualifiedName(MIGRATE)
  if (called === undefined) throw new Error(`project.yml has no function ${MIGRATE}, which applies the migrations`)
  const ended = await called.call({ allowBreaking: true }).ended
  switch (ended.end) {
    case 'thrown':
      throw new Error(`The migrations failed: ${MIGRATE} threw ${inspect(ended.error)}`, { cause: ended.error })
    case 'discarded':
      throw new Error(`The migrations failed: ${MIGRATE} ${ended.reason}`)
    case 'result': {
      const answer = (ended.result ?? {}) as Record<string, unknown>
      if ('error' in answer) throw new Error(`The migrations failed: ${JSON.stringify(answer.error)}`)
      return answer
    }
    default:
      return ended satisfies never
  }
}
