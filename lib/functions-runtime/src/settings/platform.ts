/** What the platform tells about the running invocation, beside the event. */
export interface Platform {
  namespace: string | undefined
  actionName: string | undefined
  activationId: string | undefined
  /** The platform's name for the request that led to this activation. */
  transactionId: string | undefined
  /** Epoch ms at which the platform ends the invocation. */
  deadlineAt: number | undefined
}

/** Reads the platform's `__OW_*` variables. They change before each call: read them at each call, keep none. */
export function readPlatform(environment: Readonly<Record<string, string | undefined>> = process.env): Platform {
  const deadline = Number(environment.__OW_DEADLINE || Number.NaN)
  return {
    namespace: environment.__OW_NAMESPACE,
    actionName: environment.__OW_ACTION_NAME,
    activationId: environment.__OW_ACTIVATION_ID,
    transactionId: environment.__OW_TRANSACTION_ID,
    deadlineAt: Number.isFinite(deadline) ? deadline : undefined,
  }
}
