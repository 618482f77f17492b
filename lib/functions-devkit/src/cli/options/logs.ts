import { defineCommand } from '../define-command.ts'

export const command = defineCommand({
  usage: `usage: npm run logs

  Prints where the log lines of each function are. It asks nothing of the platform.`,
  read: () => undefined,
})
