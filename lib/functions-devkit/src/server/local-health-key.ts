import { createHmac } from 'node:crypto'

/** The key for the details of probes on this machine: made from its secret, so that every start gives the same one. */
export function localHealthKey(secret: string): string {
  return createHmac('sha256', secret).update('HEALTH_KEY').digest('base64url')
}
