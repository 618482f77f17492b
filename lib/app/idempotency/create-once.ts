import { requestInProgress, type Claim } from '../../functions-runtime/src/api/claim.ts'
import type { DatabaseService, Work } from '../../functions-runtime/src/database/service.ts'
import { DeadlineExceededError } from '../../invocation/src/errors.ts'
import { UNDER_LOCK } from '../../webhook-inbox/src/inbox/user-lock.ts'
import { claimKey, readAnswer, readTime } from './claim.ts'

/** How something is made once. */
export interface Creation<Answer extends object, Made> {
  /** Without one every call makes another. */
  readonly claim: Claim | undefined
  /** Whom it concerns: when that user is erased, so is the answer. */
  readonly userId: string
  /** What the call will be answered. `at`: the time of the transaction by the database's clock, ISO 8601. */
  readonly answer: (at: string) => Answer
  /** Sends the statements that make it, each under the condition `CLAIMED`; they leave in one flight with the claim. */
  readonly make: (work: Work) => Promise<Made>
  /** What else belongs to it, once it is certain that this call makes it. */
  readonly complete: (made: Made, work: Work) => Promise<void>
  /** Proves without a claim that it was made, when the answer to COMMIT is lost. */
  readonly wasMade: (work: Work) => Promise<boolean>
}

/**
 * Makes something in one transaction with the claim on its idempotency key, or gives the answer again that the first call
 * with that key was given. While another call with the same key is at it, this one waits.
 * @throws ApplicationError `request-in-progress` (409) when the other one has not ended in time, `idempotency-key-reused`.
 */
export async function createOnce<Answer extends object, Made>(
  operationName: string,
  database: DatabaseService,
  { claim, userId, answer, make, complete, wasMade }: Creation<Answer, Made>,
): Promise<Answer> {
  let claiming = false
  const work = async (work: Work): Promise<Answer> => {
    const [at, made] = await Promise.all([claimFirst(work), make(work)])
    if (at === undefined && claim !== undefined) return readAnswer<Answer>(claim, work)
    await complete(made, work)
    return answer(at ?? '')
  }
  async function claimFirst(work: Work): Promise<string | undefined> {
    if (claim === undefined) return readTime(work)
    claiming = true
    const at = await claimKey(claim, { userId, answer }, work)
    claiming = false
    return at
  }
  const wasCommitted = claim === undefined ? wasMade : async ({ models }: Work) => (await models.IdempotencyKey.findByPk(claim.id)) !== null
  return database.execute(operationName, work, { ...UNDER_LOCK, wasCommitted }).catch((error: unknown) => {
    throw claiming && error instanceof DeadlineExceededError ? requestInProgress(error) : error
  })
}
