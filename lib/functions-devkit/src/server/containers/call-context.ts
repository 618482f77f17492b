import { type CallContext } from '../platform/context.ts'

type Variables = Readonly<Record<string, string | undefined>>

/** Makes the second argument of `main` as DigitalOcean's runtime does: out of the variables of the call. */
export function callContext(variables: Variables): CallContext {
  const text = (name: string) => variables[`__OW_${name}`] ?? ''
  const deadline = Number(variables.__OW_DEADLINE)
  return {
    functionName: text('ACTION_NAME'),
    functionVersion: text('ACTION_VERSION'),
    activationId: text('ACTIVATION_ID'),
    requestId: text('TRANSACTION_ID'),
    deadline,
    apiHost: text('API_HOST'),
    apiKey: text('API_KEY'),
    namespace: text('NAMESPACE'),
    getRemainingTimeInMillis: () => deadline - Date.now(),
  }
}
