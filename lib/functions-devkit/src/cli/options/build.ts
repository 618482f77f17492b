import { SIZES_FILE } from '../../build/sizes.ts'
import { defineCommand } from '../define-command.ts'

const FLAG = { type: 'boolean', default: false } as const

export const command = defineCommand({
  usage: `usage: npm run build [-- --record] [--why <package>/<function>] [--quiet]

  Checks project.yml, builds every function, and proves each bundle.
  --why      tell where the bytes and the milliseconds of a function are, instead of proving it
  --record   write down what the bundles are made of now, to compare with later (${SIZES_FILE})
  --quiet    do not say how far it is

Exit status: 0 every function may be deployed, 1 something is in the way, 2 wrong usage.`,
  options: { record: FLAG, why: { type: 'string' }, quiet: FLAG },
  read: ({ values }) => values,
})
