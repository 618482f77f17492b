import { describe, expect, it } from 'vitest'
import { checkProject } from '../src/check-project.ts'
import { warningWordings } from '../src/warnings/wordings.ts'
import { BUILT, temporaryProject, VALID_TREE } from './tree/temporary-project.ts'
import { VALID_PROJECT } from './valid-project.ts'

const PUBLIC = ['public-without-authentication:api/webhook', 'public-without-authentication:api/health']

describe('checkProject', () => {
  it('finds nothing but what is public in the valid project, without a variable set', () => {
    using project = temporaryProject(VALID_TREE)
    const { problems, warnings } = checkProject(project.root)
    expect(problems).toEqual([])
    expect(warnings.map(({ name }) => name)).toEqual(PUBLIC)
  })

  it('leaves out the warnings that are accepted', () => {
    using project = temporaryProject(VALID_TREE)
    expect(checkProject(project.root, { accept: PUBLIC })).toEqual({ problems: [], warnings: [] })
  })

  it('warns of an acceptance that accepts nothing any more', () => {
    using project = temporaryProject(VALID_TREE)
    const { warnings } = checkProject(project.root, { accept: [...PUBLIC, 'slow-public:api/gone', 'small-memory:api/webhook'] })
    expect(warnings.map(({ name }) => name)).toEqual(['accepts-nothing:slow-public:api/gone'])
  })

  it('puts the problems of the file before those of the tree', () => {
    using project = temporaryProject({ ...VALID_TREE, 'project.yml': VALID_PROJECT.replace('web: false', 'web: yes'), 'packages/api/a.js': '' })
    const { problems, warnings } = checkProject(project.root)
    expect(problems.map(({ file, line, code }) => [file, line, code])).toEqual([
      ['project.yml', 25, 'web-type'],
      ['packages/api/a.js', undefined, 'loose-file'],
    ])
    expect(warnings).toEqual([])
  })

  it('says once that there is no project file', () => {
    using project = temporaryProject({ ...VALID_TREE, 'project.yml': undefined })
    expect(checkProject(project.root).problems.map(({ code }) => code)).toEqual(['project-file-missing'])
  })

  it('reads the file with the variables that it is given', () => {
    using project = temporaryProject(VALID_TREE)
    const codes = checkProject(project.root, { env: { LOG_LEVEL: 'info' } }).problems.map(({ code, line }) => [code, line])
    expect(codes).toEqual([
      ['unresolved-variable', 9],
      ['unresolved-variable', 9],
    ])
  })

  it('measures the bundles that are built, with all that they are deployed with', () => {
    const bundle = 'packages/ops/migrate/dist/index.js'
    using project = temporaryProject({ ...VALID_TREE, ...BUILT, [bundle]: 'x'.repeat(2_600_000) })
    const { warnings } = checkProject(project.root, { stage: 'after-build', accept: PUBLIC })
    expect(warnings.map(({ name, line }) => [name, line])).toEqual([['small-memory:ops/migrate', 26]])
    expect(warnings[0]?.reason).toContain('2600048 bytes')
  })

  it('warns of a file directly in packages, which the deployer passes over', () => {
    using project = temporaryProject({ ...VALID_TREE, 'packages/hello.js': '' })
    expect(checkProject(project.root, { accept: PUBLIC }).warnings.map(({ name }) => name)).toEqual(['stray-file:packages/hello.js'])
  })

  it('throws the error of the system when there is no such folder', () => {
    using project = temporaryProject(VALID_TREE)
    expect(() => checkProject(`${project.root}/none`)).toThrow(expect.objectContaining({ code: 'ENOENT' }))
    expect(() => checkProject(`${project.root}/project.yml`)).toThrow(expect.objectContaining({ code: 'ENOTDIR' }))
  })
})

describe('the wording of a warning', () => {
  it.each(Object.entries(warningWordings))('of %s says what happens and what to write instead', (_, [reason, fix]) => {
    expect(reason).toMatch(/^\S.*[^.]$|^\{\}$/)
    expect(fix).toMatch(/^[A-Z].*[^.]$/)
  })
})
