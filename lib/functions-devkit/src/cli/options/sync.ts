import { defineCommand } from '../define-command.ts'

const FLAG = { type: 'boolean', default: false } as const

export const command = defineCommand({
  usage: `usage: npm run sync [-- --check --no-env]

  Writes what follows from the sources of the application:
    project.yml                     the block of each function, as its defineFunction has it
    lib/app/**/index.ts             the lists of tables, migrations, senders and handlers
    .env.example and README.md      the documented settings, between their marks
  --check   writes nothing, and says what is stale
  --no-env  does not say which variables .env lacks

Exit status: 0 up to date or written, 1 stale or not possible, 2 wrong usage.`,
  options: { check: FLAG, 'no-env': FLAG },
  read: ({ values }) => values,
})
