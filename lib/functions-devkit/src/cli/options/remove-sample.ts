import { defineCommand } from '../define-command.ts'

export const command = defineCommand({
  usage: `usage: npm run remove-sample [-- --force]

  Deletes what lib/app/sample.json lists, and takes it out of the files that stay.
  --force   also with changes that are not committed, which git could not bring back

Exit status: 0 removed, 1 something that stays needs the sample, 2 nothing removed.`,
  options: { force: { type: 'boolean', default: false } },
  read: ({ values }) => values,
})
