import { describe, expect, it } from 'vitest'
import { type Problem } from '../../src/problem.ts'
import { checkTree } from '../../src/tree/check-tree.ts'
import { treeRefusals } from '../../src/tree/refusals.ts'
import { VALID_PROJECT } from '../valid-project.ts'
import { TREE_CASES } from './cases.ts'
import { BUILT, temporaryProject, VALID_TREE } from './temporary-project.ts'

const placeOf = ({ file, line, path }: Problem) => `${file}${line === undefined ? '' : `:${line}`}${path ? ` ${path}` : ''}`

describe('a bad tree', () => {
  it.each(TREE_CASES)('is refused for $title', ({ changes, prepare, stage, code, place, fix }) => {
    // Only one function is left unbuilt where that is the mistake.
    const { 'packages/api/webhook/dist/index.js': _bundle, ...others } = BUILT
    using project = temporaryProject({ ...VALID_TREE, ...(stage ? others : {}), ...changes })
    prepare?.(project.root)
    const problems = checkTree(project.root, stage ? { stage } : {})
    expect(problems.map(problem => [problem.code, placeOf(problem)])).toEqual([[code, place]])
    expect(problems[0]?.fix).toContain(fix)
    expect(`${problems[0]?.reason}${problems[0]?.fix}`).not.toContain('{}')
  })

  it('has a case for every reason there is', () => {
    const covered = new Set<string>(TREE_CASES.map(({ code }) => code))
    expect(Object.keys(treeRefusals).filter(code => !covered.has(code))).toEqual([])
  })

  it('shows every mistake at once', () => {
    using project = temporaryProject({ ...VALID_TREE, 'packages/api/README.md': '', 'packages/ops/dump/index.js': '', 'lib/build.sh': undefined })
    expect(checkTree(project.root).map(({ code }) => code)).toEqual(['function-undeclared', 'loose-file', 'build-hook-missing'])
  })

  it('is judged without the file while the file itself is refused', () => {
    using project = temporaryProject({ ...VALID_TREE, 'project.yml': 'packages: 5\n', 'packages/api/README.md': '' })
    expect(checkTree(project.root).map(({ code }) => code)).toEqual(['loose-file'])
  })
})

describe('a good tree', () => {
  const GOOD: [title: string, changes: Record<string, string | undefined>][] = [
    ['as it is before a build', {}],
    ['as it is after a build', BUILT],
    ['with other files at the top', { 'docker-compose.yml': '', 'tsconfig.json': '{}', 'test/a.ts': '', 'projects.yml': '' }],
    ['with notes and tests in the folder of a function', { 'packages/ops/migrate/README.md': '', 'packages/ops/migrate/index.test.ts': '' }],
    ['with .include in the line ends of Windows', { 'packages/ops/migrate/.include': 'dist/index.js\r\n\r\n../../../lib/zip/package.json\r\n' }],
    ['with a folder in .include', { 'packages/ops/migrate/.include': 'dist\n../../../lib/zip/package.json\n' }],
    [
      'with what an editor or the system leaves in the folder of a package, which the deployer passes over',
      Object.fromEntries(['.DS_Store', '.gitignore', 'user.ts~', '.user.ts.swp', '.#user.ts'].map(name => [`packages/api/${name}`, ''])),
    ],
    ['with a folder and its slash in .include', { 'packages/ops/migrate/.include': 'dist/\n../../../lib/zip/package.json\n' }],
    ['with a path from its own folder in .include', { 'packages/ops/migrate/.include': './dist/index.js\n../../../lib/zip/package.json\n' }],
    [
      'with an index.js at the top of the archive',
      {
        'packages/ops/migrate/.include': 'index.js\ndata.json\n',
        'packages/ops/migrate/index.ts': undefined,
        'packages/ops/migrate/index.js': '',
        'packages/ops/migrate/data.json': '{}',
      },
    ],
    ['with a build script in the folder of a function', { 'packages/ops/migrate/build.sh': '#!/bin/bash\n' }],
    ['with package.json as the hook of lib', { 'lib/build.sh': undefined, 'lib/package.json': '{}' }],
    ['with an archive that an earlier deploy left', { 'packages/ops/migrate/__deployer__.zip': '' }],
    [
      'with a sequence that has no folder',
      {
        'project.yml': VALID_PROJECT.replace('runtime: nodejs:24\n        web: false', 'sequence: [api/health]\n        web: false'),
        'packages/ops/migrate/index.ts': undefined,
        'packages/ops/migrate/.include': undefined,
      },
    ],
  ]

  it.each(GOOD)('has no problem %s', (_, changes) => {
    using project = temporaryProject({ ...VALID_TREE, ...changes })
    expect(checkTree(project.root)).toEqual([])
  })

  it('has everything in place after a build', () => {
    using project = temporaryProject({ ...VALID_TREE, ...BUILT })
    expect(checkTree(project.root, { stage: 'after-build' })).toEqual([])
  })
})
