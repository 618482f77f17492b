import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { watchProject, type WatchedProject } from '../../support/watched-project.ts'

const USER = "import { shared } from '../../../lib/app/shared.ts'\nexport const main = () => ({ body: shared })\n"
const OTHER = "export const main = () => ({ body: 'other' })\n"
let project: WatchedProject

beforeEach(async () => {
  project = await watchProject({ 'api/user': USER, 'api/other': OTHER })
  project.write('lib/app/shared.ts', "export const shared = 'one'\n")
  await project.rounds.runAll()
  project.events.length = 0
})
afterEach(() => project.end())

const pathOf = (path: string) => join(project.checkout, path)
const changed = (...paths: string[]) => project.rounds.run(new Set(paths.map(pathOf)))
const served = (file = 'dist/index.js', name = 'api/user') => readFileSync(join(project.folder, 'packages', name, file), 'utf8')
const versionOf = (name: string) => readlinkSync(join(project.folder, 'packages', name))

function save(path: string, text: string): Promise<void> {
  project.write(path, text)
  return changed(path)
}

describe('a round of builds', () => {
  it('rebuilds only the functions that a file belongs to', async () => {
    const other = versionOf('api/other')
    await save('lib/app/shared.ts', "export const shared = 'two'\n")
    expect(served()).toContain('two')
    expect(versionOf('api/other')).toBe(other)
    expect(project.events).toEqual([{ event: 'rebuilt', functions: ['api/user'], ms: expect.any(Number) as number }])
  })

  it('takes no version when nothing has changed', async () => {
    const before = versionOf('api/user')
    await changed('lib/app/shared.ts')
    expect([versionOf('api/user'), project.events]).toEqual([before, []])
    await project.rounds.runAll()
    expect(project.events).toEqual([{ event: 'unchanged' }])
  })

  it('tells each mistake once, with file, line and excerpt, and keeps the version', async () => {
    const before = served()
    await save('packages/api/user/index.ts', `${USER}const = 1\n`)
    await changed('packages/api/user/index.ts')
    expect(served()).toBe(before)
    const text = expect.stringMatching(/packages\/api\/user\/index\.ts:3:6[\s\S]*const = 1/) as string
    expect(project.events).toEqual([{ event: 'failed', functions: ['api/user'], text }])
  })

  it('tells a mistake in a shared file once for all its functions', async () => {
    await save('packages/api/other/index.ts', USER)
    project.events.length = 0
    await save('lib/app/shared.ts', 'export const shared =\n')
    expect(project.events).toMatchObject([{ event: 'failed', functions: ['api/user', 'api/other'] }])
  })

  it('says so when a mistake is taken back', async () => {
    await save('lib/app/shared.ts', 'export const shared =\n')
    await save('lib/app/shared.ts', "export const shared = 'one'\n")
    expect(project.events.map(({ event }) => event)).toEqual(['failed', 'rebuilt'])
  })

  it('builds once a missing file is there, wherever that is', async () => {
    await save('packages/api/user/index.ts', "export { main } from '../../../lib/app/new/main.ts'\n")
    project.write('lib/app/new/main.ts', OTHER)
    expect(project.rounds.anyFailed()).toBe(true)
    await project.rounds.run(new Set())
    expect(project.rounds.anyFailed()).toBe(false)
    expect(served()).toContain('other')
  })

  it('builds while another function is broken', async () => {
    await save('packages/api/other/index.ts', 'const =')
    await save('lib/app/shared.ts', "export const shared = 'three'\n")
    expect(served()).toContain('three')
  })
})

describe('a version', () => {
  it('has everything that is deployed, and a source map that leads to the sources', () => {
    expect(readdirSync(join(project.folder, 'packages/api/user')).sort()).toEqual(['dist', 'package.json'])
    const { sources, sourcesContent } = JSON.parse(served('dist/index.js.map')) as { sources: string[]; sourcesContent?: unknown }
    expect(sources.sort()).toEqual([`file://${pathOf('lib/app/shared.ts')}`, `file://${pathOf('packages/api/user/index.ts')}`])
    expect(sourcesContent).toBeUndefined()
    expect(served()).toMatch(/\/\/# sourceMappingURL=index\.js\.map\n$/)
  })

  it('leaves what is deployed as it was', () => {
    expect(existsSync(pathOf('packages/api/user/dist'))).toBe(false)
    expect(existsSync(pathOf('packages/api/user/.include'))).toBe(false)
  })

  it('has the files of the application that .include names', async () => {
    project.write('packages/api/user/page.html', 'one')
    project.write('packages/api/user/.include', 'dist/index.js\n../../../lib/zip/package.json\npage.html\n')
    await changed('lib/app/shared.ts')
    expect(served('page.html')).toBe('one')
    await save('packages/api/user/page.html', 'two')
    expect(served('page.html')).toBe('two')
  })

  it('is removed when three newer ones are there', async () => {
    for (const version of ['2', '3', '4', '5', '6']) await save('lib/app/shared.ts', `export const shared = '${version}'\n`)
    expect(readdirSync(join(project.folder, 'versions/api')).filter(name => name.startsWith('user.'))).toHaveLength(3)
  })
})
