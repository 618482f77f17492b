// Secrets that stand in documentation, ours and the senders', and words that stand in for one. Compared without letter case
// and without `whsec_`.
const SAMPLES = [
  'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  'plJ3nmyCDGBKInavdOK15jsl',
  'C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
  'test_secret',
  'whsec_test_secret',
  'your-webhook-secret',
  'your_webhook_secret',
  'your-secret',
  'your_secret',
  'webhook-secret',
  'webhook_secret',
  'mysecret',
  'my-secret',
  'changeme',
  'change-me',
  'password',
  'supersecret',
].map(reduce)

/** Whether a secret is one that everybody can read somewhere. */
export function isSampleSecret(secret: string): boolean {
  return SAMPLES.includes(reduce(secret))
}

function reduce(secret: string): string {
  return secret.replace(/^whsec_/i, '').toLowerCase()
}
