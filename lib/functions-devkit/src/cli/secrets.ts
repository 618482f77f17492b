import { randomBytes } from 'node:crypto'

// `npm run secrets`: a fresh secret of each kind, to copy into .env. Nothing is stored.

const USAGE = 'usage: npm run secrets\n\n  Prints a fresh secret of each kind, as lines for .env. Nothing is stored.\n'
const words = process.argv.slice(2)

if (words.length === 1 && ['--help', '-h'].includes(words[0] ?? '')) {
  process.stdout.write(USAGE)
} else if (words.length > 0) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else {
  process.stdout.write(`# A webhook secret (Standard Webhooks); the sender gets the same
WEBHOOK_SECRET_DEMO=whsec_${randomBytes(32).toString('base64')}
# Encrypts stored payloads; keep a copy apart from backups of the database
PAYLOAD_KEY=${randomBytes(32).toString('base64')}
# Shows the details of health checks to its holder
HEALTH_KEY=${randomBytes(24).toString('hex')}
`)
}
