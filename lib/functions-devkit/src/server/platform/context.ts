import { randomBytes } from 'node:crypto'

/** Second argument of `main`, as DigitalOcean's runtime makes it. */
export interface CallContext {
  readonly functionName: string
  readonly functionVersion: string
  readonly activationId: string
  readonly requestId: string
  /** Epoch ms. */
  readonly deadline: number
  readonly apiHost: string
  readonly apiKey: string
  readonly namespace: string
  getRemainingTimeInMillis(): number
}

export interface ContextOptions {
  /** `package/function`. */
  readonly qualifiedName: string
  readonly timeoutMs: number
  readonly apiHost: string
  readonly now?: () => number
}

const NAMESPACE = 'fn-local'

/** Makes the context of one call. The ids look as the platform's do and are new for each call. */
export function createContext({ qualifiedName, timeoutMs, apiHost, now = Date.now }: ContextOptions): CallContext {
  const deadline = now() + timeoutMs
  return {
    functionName: `/${NAMESPACE}/${qualifiedName}`,
    functionVersion: '0.0.1',
    activationId: randomBytes(16).toString('hex'),
    requestId: randomBytes(16).toString('hex'),
    deadline,
    apiHost,
    apiKey: '',
    namespace: NAMESPACE,
    getRemainingTimeInMillis: () => deadline - now(),
  }
}

/**
 * The variables that the runtime refreshes before each call. Calls of this process can overlap and share them:
 * they are right for as long as `main` has not awaited anything, the context for the whole call.
 */
export function contextVariables(context: CallContext): Readonly<Record<string, string>> {
  return {
    __OW_NAMESPACE: context.namespace,
    __OW_ACTION_NAME: context.functionName,
    __OW_ACTION_VERSION: context.functionVersion,
    __OW_ACTIVATION_ID: context.activationId,
    __OW_TRANSACTION_ID: context.requestId,
    __OW_DEADLINE: String(context.deadline),
    __OW_API_HOST: context.apiHost,
  }
}
