import { defineCommand } from '../define-command.ts'

export const command = defineCommand({
  usage: `usage: npm run sync [-- --check]

  Writes what follows from the sources of the application:
    project.yml                     the block of each function, as its defineFunction has it
    lib/app/**/index.ts             the lists of tables, migrations, senders and handlers
    .env.example and README.md      the documented settings, between their marks
  --check   writes nothing, and says what is stale

Exit status: 0 up to date or written, 1 stale or not possible, 2 wrong usage.`,
  options: { check: { type: 'boolean', default: false } },
  read: ({ values }) => values,
})
