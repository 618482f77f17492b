import { defineCommand } from '../define-command.ts'

export const command = defineCommand({
  usage: `usage: functions-devkit check

  Checks project.yml, the folders, and what npm run sync writes. build.sh calls it before each build.

Exit status: 0 no problems, 1 problems, 2 wrong usage.`,
  read: () => undefined,
})
