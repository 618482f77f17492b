import { randomBytes } from 'node:crypto'
import { command } from './options/secrets.ts'

// `npm run secrets`: a fresh secret of each kind, to copy into .env. Nothing is stored.

command.readOrExit()
process.stdout.write(`# A webhook secret (Standard Webhooks); the sender gets the same
WEBHOOK_SECRET_DEMO=whsec_${randomBytes(32).toString('base64')}
# Encrypts stored payloads; keep a copy apart from backups of the database
PAYLOAD_KEY=${randomBytes(32).toString('base64')}
# Shows the details of health checks to its holder
HEALTH_KEY=${randomBytes(24).toString('hex')}
`)
