import { describe, expect, it } from 'vitest'
import { contentProblems } from '../../src/build/contents.ts'

const lock = {
  packages: {
    'node_modules/tool': { dev: true },
    'node_modules/its-part': { dev: true },
    'node_modules/pg': {},
    'node_modules/functions-devkit': { dev: true },
  },
}
const ENTRY = 'packages/api/user/index.ts'

/** A bundle in which every file holds a byte, unless it is said to be left out. */
function problemsOf(imports: Readonly<Record<string, readonly string[]>>, leftOut: readonly string[] = []): string[] {
  const paths = Object.keys(imports)
  const metafile = {
    inputs: Object.fromEntries(Object.entries(imports).map(([path, targets]) => [path, { imports: targets.map(target => ({ path: target })) }])),
    outputs: {},
  }
  const inputs = Object.fromEntries(paths.map(path => [path, { bytesInOutput: leftOut.includes(path) ? 0 : 1 }]))
  return contentProblems({ bytes: paths.length, inputs }, { metafile, lock })
}

describe('the contents of a bundle', () => {
  it('are in order without development dependencies', () => {
    expect(
      problemsOf({
        [ENTRY]: ['lib/functions-runtime/src/edge/http-errors.ts', 'node_modules/pg/index.js'],
        'lib/functions-runtime/src/edge/http-errors.ts': [],
        'node_modules/pg/index.js': [],
      }),
    ).toEqual([])
  })

  it('name the development dependency that is imported, not what it brings along', () => {
    const imports = {
      [ENTRY]: ['node_modules/tool/index.js'],
      'node_modules/tool/index.js': ['node_modules/its-part/x.js'],
      'node_modules/its-part/x.js': [],
    }
    expect(problemsOf(imports)).toEqual([
      expect.stringMatching(/^contains tool, a development dependency \(packages\/api\/user\/index\.ts imports it\)/),
    ])
  })

  it('name it as well when its first file only passes on another', () => {
    const imports = {
      [ENTRY]: ['node_modules/tool/index.js'],
      'node_modules/tool/index.js': ['node_modules/tool/real.js'],
      'node_modules/tool/real.js': [],
    }
    expect(problemsOf(imports, ['node_modules/tool/index.js'])).toEqual([expect.stringMatching(/^contains tool, .*user\/index\.ts imports it/)])
  })

  it('do not mind one of which nothing is left', () => {
    expect(problemsOf({ [ENTRY]: ['node_modules/tool/index.js'], 'node_modules/tool/index.js': [] }, ['node_modules/tool/index.js'])).toEqual([])
  })

  it.each(['croner', 'node', 'pino-pretty'])('are wrong with %s, which only the long-lived host uses', name => {
    const path = `node_modules/${name}/index.js`
    expect(problemsOf({ [ENTRY]: [path], [path]: [] })).toEqual([
      `contains ${name}, which only the long-lived host uses (${ENTRY} imports it): remove the import`,
    ])
  })

  it.each(['lib/', 'node_modules/functions-devkit/dist/'])('may hold stand-ins of %s', place => {
    const path = `${place}functions-devkit/src/stand-ins/lodash.cjs`
    expect(problemsOf({ [ENTRY]: [path], [path]: [] })).toEqual([])
  })

  it.each(['functions-devkit/dist/functions-devkit/src/server/port.js', 'esbuild/lib/main.js'])('are wrong with %s, which only tools use', file => {
    const path = `node_modules/${file}`
    expect(problemsOf({ [ENTRY]: [path], [path]: [] })).toEqual([expect.stringMatching(/^contains [\w-]+, which only tools use/)])
  })

  it.each([
    'lib/functions-devkit/src/server/port.ts',
    'lib/functions-devkit/src/cli/doctor.ts',
    'lib/functions-devkit/src/build/proof.ts',
    'lib/doctl-project-schema/src/index.ts',
    'lib/postgres-faults/src/proxy/proxy.ts',
    'test/support/database.ts',
  ])('are wrong with %s, which is not for functions', path => {
    expect(problemsOf({ [ENTRY]: [path], [path]: [] })).toEqual([expect.stringContaining('which is not for functions')])
  })
})
