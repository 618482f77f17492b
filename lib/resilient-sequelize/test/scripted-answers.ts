import type { RawOptions } from '../src/wire/guarded-client.ts'

/** Answers a statement as the client's `sendRaw` does: with `answer`, or with that as its error. */
export async function answerRaw<Answer>(answer: Answer, { onError }: RawOptions = {}): Promise<Answer> {
  if (!(answer instanceof Error)) return answer
  onError?.(answer)
  throw answer
}
