import { defineCommand } from '../define-command.ts'

const FLAG = { type: 'boolean', default: false } as const

export const command = defineCommand({
  usage: `usage: npm run deploy [-- --env FILE] [--no-migrate] [--allow-breaking]

  Runs the doctor, deploys through doctl, and compares the platform with project.yml.
  --env FILE         the file of variables (.env)
  --no-migrate       skip the migrations: neither deploy ops/migrate first nor call it
  --allow-breaking   apply migrations that break the functions which are deployed now

It never removes anything. Exit status: 0 the platform is as project.yml says, 1 it is not, 2 wrong usage.`,
  options: { env: { type: 'string', default: '.env' }, 'no-migrate': FLAG, 'allow-breaking': FLAG },
  read: ({ values }) => values,
})
