import type { RawOptions } from '../src/wire/guarded-client.ts'

/** Resolves to `answer`, or rejects with it if it is an error, as the client's `sendRaw` does. */
export async function answerRaw<Answer>(answer: Answer, { onError }: RawOptions = {}): Promise<Answer> {
  if (!(answer instanceof Error)) return answer
  onError?.(answer)
  throw answer
}
