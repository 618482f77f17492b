import { transform } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { readsOf } from '../../src/build/environment-reads.ts'

const readsIn = async (source: string) => readsOf((await transform(source, { loader: 'ts', minifySyntax: true, legalComments: 'none' })).code)

describe('the variables that a source reads', () => {
  it.each([
    ['by name', 'use(process.env.WANTED)'],
    ['by a quoted name', "use(process.env['WANTED'], process['env']['WANTED'])"],
    ['by an optional member', 'use(process.env?.WANTED, process?.env?.WANTED)'],
    ['in a template', 'use(`a ${process.env.WANTED}`)'],
    ['with a default', "use(process.env.WANTED ?? 'b', process.env.WANTED || 'c')"],
    ['in a comparison', "use(process.env.WANTED === 'yes')"],
    ['by destructuring', 'const { WANTED } = process.env; use(WANTED)'],
    ['by destructuring with other names and defaults', "const { WANTED: one = 'a' } = process.env; use(one)"],
    ['through a constant', 'const env = process.env; use(env.WANTED)'],
    ['through a parameter', 'export const read = (environment = process.env) => environment.WANTED'],
    ['through a part of process', 'const { env } = process; use(env.WANTED)'],
    ['through a renamed part of process', 'const { env: mine, pid } = process; use(mine.WANTED, pid)'],
    ['through an import', "import { env } from 'node:process'; use(env.WANTED)"],
    ['through a renamed import', "import { argv, env as mine } from 'process'; use(mine.WANTED, argv)"],
    ['through the default import', "import it from 'node:process'; use(it.env.WANTED)"],
    ['through a namespace', "import * as it from 'node:process'; use(it.env.WANTED)"],
    ['through require', "const it = require('process'); use(it.env.WANTED, require('node:process').env.WANTED)"],
    ['through globalThis', 'use(globalThis.process.env.WANTED)'],
  ])('are found: %s', async (_how, source) => {
    expect(await readsIn(source)).toEqual(['WANTED'])
  })

  it.each([
    ['in a comment', '// process.env.WANTED\nuse(1)'],
    ['on another object', 'use(settings.env.WANTED, my.process.env.WANTED)'],
    ['under a name of its own', 'const environment = read(); use(environment.WANTED)'],
    ['by a name that is not written', 'use(process.env[name])'],
    ['of the platform and the container', 'use(process.env.__OW_DEADLINE, process.env.NODE_ENV, process.env.PATH)'],
    ['as a method', 'use(Object.keys(process.env).length, process.env.hasOwnProperty)'],
    ['when written', "process.env.WANTED = 'a'"],
  ])('are none: %s', async (_how, source) => {
    expect(await readsIn(source)).toEqual([])
  })
})
