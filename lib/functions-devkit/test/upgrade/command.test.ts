import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recordVersion, unrecordedFiles } from '../../src/upgrade/release.ts'
import { readFolder } from '../../src/upgrade/tree.ts'
import { FIRST, upgradeStage, type UpgradeStage } from '../support/upgrade.ts'

// Runs lib/functions-devkit/src/cli/upgrade.ts.

let stage: UpgradeStage
beforeEach(() => void (stage = upgradeStage()))
afterEach(() => stage[Symbol.dispose]())

const all = () => Object.fromEntries([...readFolder(stage.application)].map(([path, { content }]) => [path, content.toString('latin1')]))
const manifest = (changes: object) => JSON.stringify({ ...(JSON.parse(String(FIRST['package.json'])) as object), ...changes }, null, 2)

describe('npm run upgrade', () => {
  it('upgrades, says what it did, and has nothing left to do', () => {
    stage.edit({ 'README.md': 'ONE\ntwo\nthree\nfour\nfive\n' })
    stage.release({ 'README.md': 'one\ntwo\nthree\nfour\nFIVE\n', 'lib/runtime/src/old.ts': undefined, 'lib/runtime/src/new.ts': 'new\n' })
    const { status, output } = stage.upgrade()
    expect(output).toMatch(
      /^1\.0\.0 → 2\.0\.0, from .*\n\nThe framework:\n {2}1 file added, 1 file deleted\n\nYour part:\n {2}merged {2}README\.md\n/,
    )
    expect(output).toMatch(/\nNext:\n {2}npm test\n$/)
    expect(status).toBe(0)
    const record = JSON.parse(stage.read('lib/framework.json') ?? '') as { version: string; files: object }
    expect([record.version, Object.keys(record.files).includes('lib/runtime/src/new.ts')]).toEqual(['2.0.0', true])
    const before = all()
    expect(stage.upgrade()).toMatchObject({ status: 0, output: expect.stringMatching(/^2\.0\.0 is here already/) as string })
    expect(all()).toEqual(before)
  })

  it('upgrades twice, against the version before', () => {
    stage.edit({ 'README.md': 'ONE\ntwo\nthree\nfour\nfive\n' })
    stage.release({ 'README.md': 'one\ntwo\nthree\nfour\n5\n' })
    stage.upgrade()
    stage.release({ 'README.md': 'one\ntwo\nthree\nfour\nfive again\n' })
    expect(stage.upgrade('--source', stage.next, '--from', '3.0.0')).toMatchObject({
      status: 0,
      output: expect.stringContaining('The source calls itself 2.0.0; it is recorded as 3.0.0.') as string,
    })
    expect(stage.read('README.md')).toBe('ONE\ntwo\nthree\nfour\nfive again\n')
  })

  it('ends with 1 for conflicts, and refuses the next upgrade until they are decided', () => {
    stage.edit({ 'README.md': 'mine\n' })
    stage.release({ 'README.md': 'theirs\n' })
    const { status, output } = stage.upgrade()
    expect([status, stage.read('README.md')]).toEqual([1, '<<<<<<< yours\nmine\n=======\ntheirs\n>>>>>>> version 2.0.0\n'])
    expect(output).toContain('\nConflicts:\n  README.md: 1 place is marked\n')
    expect(output).not.toContain('/offered')
    stage.release({ 'README.md': 'theirs again\n' })
    expect(stage.upgrade()).toEqual({ status: 2, output: expect.stringContaining('decide about them first:\n  README.md') as string })
  })

  it('refuses a source that lacks files of its record', () => {
    stage.release({ 'README.md': 'theirs\n' })
    for (const path of ['README.md', 'lib/runtime']) rmSync(join(stage.next, path), { recursive: true })
    const before = all()
    const { status, output } = stage.upgrade()
    expect(output).toMatch(
      /next lacks 3 of the \d+ files in its lib\/framework\.json: README\.md, lib\/runtime\/src\/main\.ts, lib\/runtime\/src\/old\.ts\. Take the whole version\n$/,
    )
    expect([status, all()]).toEqual([2, before])
  })

  it('refuses a source whose record lists no files', () => {
    const file = join(stage.next, 'lib/framework.json')
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), files: {} }))
    expect(stage.upgrade()).toEqual({
      status: 2,
      output: expect.stringContaining('next is no version: its lib/framework.json lists no files') as string,
    })
  })

  it('says that a version is older', () => {
    stage.release({ 'README.md': 'theirs\n' })
    expect(stage.upgrade('--source', stage.next, '--dry-run').output).not.toContain('downgrade')
    expect(stage.upgrade('--source', stage.next, '--from', '0.9.0', '--dry-run').output).toContain(
      'This is a downgrade: 0.9.0 is older than 1.0.0.\n',
    )
  })

  it('undoes what it did', () => {
    stage.edit({ 'README.md': 'mine\n', 'lib/mine/a.ts': 'a\n' })
    const before = all()
    stage.release({ 'README.md': 'theirs\n', 'lib/runtime/src/old.ts': undefined, 'lib/notes/a.ts': 'a\n' })
    stage.upgrade()
    expect(stage.upgrade('--undo')).toMatchObject({ status: 0, output: expect.stringMatching(/^Undone: \d+ files/) as string })
    expect(all()).toEqual(before)
    expect(stage.upgrade('--undo')).toEqual({ status: 2, output: 'There is no upgrade to undo in .local/upgrade\n' })
  })

  it('changes nothing with --dry-run', () => {
    stage.release({ 'README.md': 'theirs\n' })
    const before = all()
    expect(stage.upgrade('--source', stage.next, '--dry-run')).toMatchObject({
      status: 0,
      output: expect.stringMatching(/updated README\.md\n\nNothing is changed\.\n$/) as string,
    })
    expect([all(), existsSync(join(stage.application, '.local'))]).toEqual([before, false])
  })

  it('keeps the new version of a file whose conflict has no marks', () => {
    stage.edit({ 'package.json': manifest({ dependencies: { pg: '8.1.0' } }) })
    stage.release({ 'package.json': manifest({ dependencies: { pg: '8.2.0' }, license: 'MIT' }) })
    const { output } = stage.upgrade()
    expect(output).toContain('package.json: yours stays: dependencies.pg: yours "8.1.0", the new version "8.2.0"')
    expect(JSON.parse(stage.read('package.json') ?? '')).toMatchObject({ dependencies: { pg: '8.1.0' }, license: 'MIT' })
    const [, offered = ''] = /: (\.local\/upgrade\/.*\/offered)$/m.exec(output) ?? []
    expect(readFileSync(join(stage.application, offered, 'package.json'), 'utf8')).toContain('8.2.0')
  })
})

describe('after an upgrade', () => {
  const scripts = { sync: 'node -e "console.log(\'synced\')"', migrate: 'node -e "console.log(\'checked\')"' }

  it('sync and the check of migrations run', () => {
    stage.edit({ 'package.json': manifest({ scripts }) })
    stage.release({ 'README.md': 'new\n' })
    const { status, output } = stage.upgrade()
    expect(output.indexOf('synced')).toBeGreaterThan(0)
    expect(output.indexOf('checked')).toBeGreaterThan(output.indexOf('synced'))
    expect(status).toBe(0)
  })

  it('a failed sync is named, and ends with 1', () => {
    stage.edit({ 'package.json': manifest({ scripts: { ...scripts, sync: 'exit 3' } }) })
    stage.release({ 'README.md': 'new\n' })
    const { status, output } = stage.upgrade()
    expect(output).toContain('Next:\n  npm run sync failed: mend what it names, and run it again\n  npm run migrate -- check\n  npm test\n')
    expect([status, output.includes('checked')]).toEqual([1, false])
  })

  it.each([
    ['dependencies', { dependencies: { pg: '9.0.0' } }],
    ['workspaces', { workspaces: ['lib/notes'] }],
  ])('npm install comes before both, when %s changed', (_, changed) => {
    stage.edit({ 'package.json': manifest({ scripts }) })
    stage.release({ 'package.json': manifest(changed) })
    const { output } = stage.upgrade()
    expect(output).toMatch(/\nNext:\n {2}npm install\n {2}npm run sync\n {2}npm run migrate -- check\n {2}npm test\n$/)
    expect(output).not.toContain('synced')
  })

  it('files that a command writes are named with it', () => {
    const build = { ...scripts, build: 'node -e 1' }
    stage.edit({ 'lib/app/sizes.json': '{"a":1}', 'package.json': manifest({ scripts: build }) })
    stage.release({ 'lib/app/sizes.json': '{"a":2}', 'package.json': manifest({ scripts: build }) })
    const { output } = stage.upgrade()
    expect(output).toContain('Left to a command:\n  lib/app/sizes.json: npm run build -- --record\n')
    expect(output).toMatch(/Next:\n {2}npm run build -- --record\n {2}npm test\n$/)
  })
})

describe('a mistake', () => {
  it.each([
    [[], 'Name the version to take: --from <version>\nusage:'],
    [['--form', '2'], "Unknown option '--form'"],
    [['--from', '2.0.0'], 'neither lib/framework.json nor package.json names one. Give --source'],
    [['--source', '.'], '. is this application itself'],
    [['--source', 'lib'], 'lib has no lib/framework.json: it is no version of this framework'],
  ])('is named, and changes nothing: %j', (options, message) => {
    const before = all()
    const { status, output } = stage.upgrade(...(options.length === 0 ? ['--dry-run'] : options))
    expect([status, output]).toEqual([2, expect.stringContaining(message)])
    expect(all()).toEqual(before)
  })

  it('in the record is named', () => {
    stage.edit({ 'lib/framework.json': '{ "version": 1 }' })
    expect(stage.upgrade().output).toMatch(/lib\/framework\.json cannot be read \(version: .*\)\. Take the one of the version/)
    rmSync(join(stage.application, 'lib/framework.json'))
    expect(stage.upgrade().output).toContain('There is no lib/framework.json, which says what this copy was made from. Give --base')
  })
})

describe('without the texts of the record', () => {
  it('files that one side changed are upgraded, and others marked', () => {
    rmSync(join(stage.application, 'lib/framework.base.br'))
    stage.edit({ 'README.md': 'ONE\ntwo\nthree\nfour\nfive\n' })
    stage.release({ 'README.md': 'one\ntwo\nthree\nfour\nFIVE\n', 'project.yml': 'new\n' })
    const { status, output } = stage.upgrade()
    expect([status, stage.read('project.yml')]).toEqual([1, 'new\n'])
    expect(output).toContain('README.md: 2 places are marked; the text of the recorded version is unknown, see --base')
  })
})

describe('a record', () => {
  it('is of the files of the folder, and names those that are not', () => {
    stage.release({})
    expect(unrecordedFiles(stage.next)).toEqual([])
    stage.release({ 'README.md': 'new\n' })
    rmSync(join(stage.next, 'build.sh'))
    expect(unrecordedFiles(stage.next)).toEqual(['build.sh'])
    expect(recordVersion(stage.next, '2.1.0')).toBe(Object.keys(FIRST).length - 1)
    expect(unrecordedFiles(stage.next)).toEqual([])
  })

  it('is of a version', () => {
    expect(() => recordVersion(stage.next, 'next')).toThrow('next is no version: write it as 1.2.0')
  })
})
