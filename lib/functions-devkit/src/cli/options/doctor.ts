import { defineCommand } from '../define-command.ts'

/** As many containers as are alive at once on a busy day of a small service. */
export const DEFAULT_CONTAINERS = 60

export const command = defineCommand({
  usage: `usage: npm run doctor [-- --env FILE] [--containers n] [--json]

  Checks everything that a deployment depends on, and changes nothing.
  --env FILE       the file of variables to deploy with (.env)
  --containers n   how many containers may be alive at once (${DEFAULT_CONTAINERS})
  --json           a list of { check, status, reason, cure }

Exit status: 0 no findings, 1 warnings, 2 a failed check, or wrong usage.`,
  options: {
    env: { type: 'string', default: '.env' },
    containers: { type: 'string', default: String(DEFAULT_CONTAINERS) },
    json: { type: 'boolean', default: false },
  },
  read({ values: { env, containers, json } }) {
    if (!/^[1-9]\d{0,4}$/.test(containers)) throw new Error('--containers takes a whole number from 1 to 99999')
    return { file: env, containers: Number(containers), json }
  },
})
