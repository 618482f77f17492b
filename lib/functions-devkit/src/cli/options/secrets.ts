import { defineCommand } from '../define-command.ts'

export const command = defineCommand({
  usage: `usage: npm run secrets

  Prints a fresh secret of each kind, as lines for .env. Nothing is stored.`,
  read: () => undefined,
})
