import type { Reply } from '../../../functions-runtime/src/edge/reply.ts'
import { statusOf, type Check } from './check.ts'

/** The answer to a probe: 200 also with a warning, 503 when it fails. Without the health key it is the status alone. */
export function healthReply(checks: readonly Check[], { detailed }: { detailed: boolean }): Reply {
  const status = statusOf(checks)
  return {
    statusCode: status === 'fail' ? 503 : 200,
    headers: { 'content-type': 'application/health+json', 'cache-control': 'no-store' },
    body: detailed ? { status, checks: byName(checks) } : { status },
  }
}

/** By name, as the format has it: a list for each. */
export function byName(checks: readonly Check[]): Record<string, Omit<Check, 'name' | 'vital'>[]> {
  return Object.fromEntries(
    checks.map(({ name, vital: _, affectedEndpoints, ...check }) => [
      name,
      // Endpoints are affected only while something is wrong with what they need.
      [{ ...check, ...(check.status === 'pass' || affectedEndpoints === undefined ? {} : { affectedEndpoints }) }],
    ]),
  )
}
