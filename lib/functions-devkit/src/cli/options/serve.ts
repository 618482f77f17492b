import { defineCommand } from '../define-command.ts'

export const command = defineCommand({
  usage: `usage: npm run serve

  Serves the functions that npm run build has built, as one long-lived process, until SIGTERM or Ctrl-C. Its settings are in the
  environment.

Exit status: 0 ended as asked, 1 could not start, 2 wrong usage.`,
  read: () => undefined,
})
