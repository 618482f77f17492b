import { type Cut } from '../../proxy/faults.ts'
import { meets, withCommit, type Repetition } from '../repetition.ts'
import { type Row } from '../row.ts'

const cuts: readonly Cut[] = ['reset', 'close', 'silence']

/** The server does not get to see COMMIT, and rolls back. */
export const commitNeverArrives: Row = {
  number: 4,
  fault: 'cut before COMMIT reaches the server',
  variants: cuts,
  scenario: repetition => cutAtCommit(repetition, 'before'),
}

/** The server has committed, and nobody hears of it. */
export const commitAnswerLost: Row = {
  number: 5,
  fault: 'cut after COMMIT was done, before its answer',
  variants: cuts,
  scenario: repetition => cutAtCommit(repetition, 'after'),
}

async function cutAtCommit({ proxy, call, variant, kind }: Repetition, when: 'before' | 'after'): Promise<void> {
  await call()
  const fault = proxy.addFault({ on: 'statement', matches: 'COMMIT', when, action: variant as Cut })
  const calling = call(withCommit(kind))
  // A read has its row before its COMMIT is answered.
  const met = await meets(calling, fault)
  await calling
  if (met) await call()
}
