import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { prepareUpgrade } from '../../src/upgrade/prepare.ts'
import type { Decision } from '../../src/upgrade/decide.ts'
import { FIRST, upgradeStage, type Contents, type UpgradeStage } from '../support/upgrade.ts'

let stage: UpgradeStage
beforeEach(() => void (stage = upgradeStage()))
afterEach(() => stage[Symbol.dispose]())

/** What is decided about a path, after edits here and in the new version. */
async function decided(path: string, { here = {}, there = {} }: { here?: Contents; there?: Contents }): Promise<Decision | undefined> {
  stage.edit(here)
  stage.release(there)
  const { plan } = await prepareUpgrade({ folder: stage.application, from: undefined, source: stage.next, base: undefined })
  return plan.get(path)
}

const contentOf = (decision: Decision | undefined) =>
  decision !== undefined && 'file' in decision ? decision.file?.content.toString() : `${decision?.outcome} has no file`

describe('a file that stays as it was here', () => {
  it('becomes that of the new version', async () => {
    expect(contentOf(await decided('lib/runtime/src/main.ts', { there: { 'lib/runtime/src/main.ts': 'new\n' } }))).toBe('new\n')
  })

  it('goes when the new version has it no more', async () => {
    expect(await decided('lib/runtime/src/old.ts', { there: { 'lib/runtime/src/old.ts': undefined } })).toEqual({ outcome: 'deleted' })
  })

  it('comes when the new version adds it', async () => {
    expect(await decided('lib/notes/src/a.ts', { there: { 'lib/notes/src/a.ts': 'a\n' } })).toMatchObject({ outcome: 'added' })
  })

  it('keeps CRLF, and is unchanged with it', async () => {
    const there = { 'README.md': 'one\ntwo\nthree\nfour\nsix\n' }
    const here = { 'README.md': 'one\r\ntwo\r\nthree\r\nfour\r\nfive\r\n' }
    expect(contentOf(await decided('README.md', { here, there }))).toBe('one\r\ntwo\r\nthree\r\nfour\r\nsix\r\n')
  })
})

describe('a file that is changed here', () => {
  it('stays when the new version leaves it', async () => {
    expect(await decided('README.md', { here: { 'README.md': 'mine\n' } })).toEqual({ outcome: 'kept' })
  })

  it('is merged when the new version changes other places', async () => {
    const decision = await decided('README.md', {
      here: { 'README.md': 'ONE\ntwo\nthree\nfour\nfive\n' },
      there: { 'README.md': 'one\ntwo\nthree\nfour\nFIVE\n' },
    })
    expect([decision?.outcome, contentOf(decision)]).toEqual(['merged', 'ONE\ntwo\nthree\nfour\nFIVE\n'])
  })

  it('is marked where the new version changes the same place', async () => {
    const decision = await decided('README.md', { here: { 'README.md': 'ONE\ntwo\n' }, there: { 'README.md': 'uno\ntwo\n' } })
    expect(decision).toMatchObject({ outcome: 'conflict', reason: expect.stringMatching(/^1 place is marked$/) as string })
    expect(contentOf(decision)).toMatch(/^<<<<<<< yours\nONE\n[^]*=======\nuno\n[^]*>>>>>>> version 2\.0\.0\n/)
  })

  it('is merged with CRLF', async () => {
    const decision = await decided('README.md', {
      here: { 'README.md': 'ONE\r\ntwo\r\nthree\r\nfour\r\nfive\r\n' },
      there: { 'README.md': 'one\ntwo\nthree\nfour\nFIVE\n' },
    })
    expect(contentOf(decision)).toBe('ONE\r\ntwo\r\nthree\r\nfour\r\nFIVE\r\n')
  })

  it('is a conflict and stays when the new version deletes it', async () => {
    const decision = await decided('README.md', { here: { 'README.md': 'mine\n' }, there: { 'README.md': undefined } })
    expect(decision).toEqual({ outcome: 'conflict', reason: 'changed here, and deleted by the new version: it stays' })
  })

  it('is a conflict and stays when it is binary', async () => {
    const decision = await decided('logo.png', { here: { 'logo.png': Buffer.from([0, 1]) }, there: { 'logo.png': Buffer.from([0, 2]) } })
    expect(decision).toEqual({ outcome: 'conflict', reason: 'both changed it, and it is no text: yours stays' })
  })

  it('is no conflict when both sides changed it alike', async () => {
    const same = { 'README.md': 'same\n' }
    expect(await decided('README.md', { here: same, there: same })).toEqual({ outcome: 'kept' })
  })

  it('takes what both add to a list', async () => {
    const decision = await decided('.gitignore', {
      here: { '.gitignore': 'dist/\n*.tgz\nmine/\n' },
      there: { '.gitignore': 'dist/\n*.tgz\ntheirs/\n' },
    })
    expect([decision?.outcome, contentOf(decision)]).toEqual(['merged', 'dist/\n*.tgz\nmine/\ntheirs/\n'])
  })

  it('is marked in each different place when both sides added it', async () => {
    const decision = await decided('a.md', { here: { 'a.md': 'x\nsame\n' }, there: { 'a.md': 'y\nsame\n' } })
    expect(decision).toMatchObject({ outcome: 'conflict', reason: '1 place is marked; both added it' })
    expect(contentOf(decision)).toBe('<<<<<<< yours\nx\n=======\ny\n>>>>>>> version 2.0.0\nsame\n')
  })
})

describe('a file that is deleted here', () => {
  it('stays away when the new version leaves it', async () => {
    expect(await decided('README.md', { here: { 'README.md': undefined } })).toEqual({ outcome: 'kept' })
  })

  it('stays away and is named when the new version changes it', async () => {
    expect(await decided('README.md', { here: { 'README.md': undefined }, there: { 'README.md': 'new\n' } })).toEqual({ outcome: 'absent' })
  })

  it.each(['lib/app/users/more.ts', 'lib/app/users/deep/er.ts'])('keeps new files of its folder away: %s', async path => {
    expect(await decided(path, { here: { 'lib/app/users/unknown.ts': undefined }, there: { [path]: 'x\n' } })).toEqual({ outcome: 'absent' })
  })

  it('keeps away what an optional list names, when the list is deleted', async () => {
    const path = 'lib/app/migrations/2-users.ts'
    const there = { [path]: 'x\n', 'lib/app/sample.json': JSON.stringify({ files: [path] }), 'lib/app/migrations/3-all.ts': 'x\n' }
    expect(await decided(path, { here: { 'lib/app/sample.json': undefined }, there })).toEqual({ outcome: 'absent' })
    expect(await decided('lib/app/migrations/3-all.ts', {})).toMatchObject({ outcome: 'added' })
  })
})

describe('a file of the framework that is changed here', () => {
  const path = 'lib/runtime/src/main.ts'
  const mine = 'export const main = 2\n\n\nexport const last = 1\n'

  it('stays and is named when the new version leaves it', async () => {
    expect(await decided(path, { here: { [path]: mine } })).toEqual({ outcome: 'edited' })
  })

  it('is a conflict with marks when the text of the recorded version is unknown', async () => {
    const decision = await decided(path, { here: { [path]: mine }, there: { [path]: 'export const main = 1\n\n\nexport const last = 3\n' } })
    expect(decision).toMatchObject({ outcome: 'conflict', reason: '2 places are marked; the text of the recorded version is unknown, see --base' })
  })

  it('stays away when it is deleted', async () => {
    expect(await decided(path, { here: { [path]: undefined } })).toEqual({ outcome: 'kept' })
    expect(await decided(path, { there: { [path]: 'new\n' } })).toEqual({ outcome: 'absent' })
  })

  it('is merged with the text of --base, and still a conflict', async () => {
    stage.release({ [path]: 'export const main = 1\n\n\nexport const last = 3\n' })
    using first = upgradeStage()
    stage.edit({ [path]: mine })
    const { plan } = await prepareUpgrade({ folder: stage.application, from: undefined, source: stage.next, base: first.application })
    expect(plan.get(path)).toMatchObject({ outcome: 'conflict', reason: 'an edit in a file of the framework, merged: check it' })
    expect(contentOf(plan.get(path))).toBe('export const main = 2\n\n\nexport const last = 3\n')
  })
})

describe('a file that a command writes', () => {
  const generated = (text: string) => `// Written by \`npm run sync\`; do not edit.\n${text}\n`

  it('stays until the command runs when both sides changed it', async () => {
    const path = 'lib/app/index.ts'
    expect(await decided(path, { here: { [path]: generated('mine') }, there: { [path]: generated('theirs') } })).toEqual({
      outcome: 'written',
      command: 'npm run sync',
    })
  })

  it('takes the place of one that was written by hand', async () => {
    const path = 'lib/app/project.ts'
    const decision = await decided(path, { here: { [path]: 'mine\n' }, there: { [path]: generated('theirs') } })
    expect([decision?.outcome, contentOf(decision)]).toEqual(['written', generated('theirs')])
  })

  it('is a part of another one, too', async () => {
    const readme = (title: string, row: string) =>
      `${title}\n\n<!-- settings: written by \`npm run sync\`, do not edit -->\n| ${row} |\n<!-- end of settings -->\n`
    using other = upgradeStage({ ...FIRST, 'README.md': readme('one', 'A') })
    other.edit({ 'README.md': readme('mine', '$& | MINE') })
    other.release({ 'README.md': readme('one', 'A | NEW') })
    const { plan } = await prepareUpgrade({ folder: other.application, from: undefined, source: other.next, base: undefined })
    expect([plan.get('README.md')?.outcome, contentOf(plan.get('README.md'))]).toEqual(['merged', readme('mine', 'A | NEW')])
  })

  it('is known by the record', async () => {
    const path = 'package-lock.json'
    expect(await decided(path, { here: { [path]: '{"a":1}' }, there: { [path]: '{"a":2}' } })).toEqual({ outcome: 'written', command: 'npm install' })
  })

  it('is merged when the new version lacks the command', async () => {
    const path = 'lib/app/sizes.json'
    expect(await decided(path, { here: { [path]: '{"a":1}' }, there: { [path]: '{"a":2}' } })).toMatchObject({ outcome: 'conflict' })
  })
})

describe('what is no file', () => {
  it('stays in place of a file, as a conflict', async () => {
    rmSync(join(stage.application, 'README.md'))
    mkdirSync(join(stage.application, 'README.md'))
    expect(await decided('README.md', {})).toBeUndefined()
    expect(await decided('README.md', { there: { 'README.md': 'new\n' } })).toMatchObject({
      outcome: 'conflict',
      reason: 'a folder or a link is in its place here: it stays',
    })
  })

  it('is not written through, when it is a link', async () => {
    rmSync(join(stage.application, 'lib/app'), { recursive: true })
    symlinkSync(stage.root, join(stage.application, 'lib/app'))
    expect(await decided('lib/app/new.ts', { there: { 'lib/app/new.ts': 'x\n' } })).toMatchObject({ outcome: 'conflict' })
  })
})

it('gives a file the mode of the new version, and keeps one that was changed here', () => {
  chmodSync(join(stage.application, 'README.md'), 0o755)
  stage.edit({ 'lib/runtime/run.sh': '#!/bin/bash\n' })
  stage.release({ 'build.sh': '#!/bin/bash\necho second\n', 'README.md': 'new\n', 'lib/runtime/run.sh': '#!/bin/bash\n' })
  chmodSync(join(stage.next, 'lib/runtime/run.sh'), 0o755)
  expect(stage.upgrade()).toMatchObject({ status: 0 })
  const isExecutable = (path: string) => (statSync(join(stage.application, path)).mode & 0o111) !== 0
  expect(['build.sh', 'README.md', 'lib/runtime/run.sh', 'project.yml'].map(isExecutable)).toEqual([true, true, true, false])
  expect(stage.read('build.sh')).toContain('second')
})

it('leaves what only the application has', () => {
  stage.edit({ 'lib/mine/src/a.ts': 'mine\n', '.env': 'SECRET=1\n', 'node_modules/pg/index.js': 'pg\n' })
  stage.release({ 'README.md': 'new\n', '.env': 'THEIRS=1\n', 'node_modules/pg/index.js': 'other\n', 'dist/a.js': 'built\n' })
  expect(stage.upgrade()).toMatchObject({ status: 0 })
  expect(['lib/mine/src/a.ts', '.env', 'node_modules/pg/index.js'].map(stage.read)).toEqual(['mine\n', 'SECRET=1\n', 'pg\n'])
  expect(existsSync(join(stage.application, 'dist'))).toBe(false)
  expect(readFileSync(join(stage.application, 'README.md'), 'utf8')).toBe('new\n')
})
