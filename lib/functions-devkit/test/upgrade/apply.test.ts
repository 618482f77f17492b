import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { applyChanges } from '../../src/upgrade/apply.ts'
import { readFolder, type TreeFile } from '../../src/upgrade/tree.ts'
import { lastBackup, undoUpgrade } from '../../src/upgrade/undo.ts'
import { upgradeStage, type UpgradeStage } from '../support/upgrade.ts'

let stage: UpgradeStage
let before: Record<string, unknown>
beforeEach(() => {
  stage = upgradeStage()
  before = all()
})
afterEach(() => stage[Symbol.dispose]())

const all = () =>
  Object.fromEntries([...readFolder(stage.application)].map(([path, { content, executable }]) => [path, [content.toString(), executable]]))
const file = (text: string): TreeFile => ({ content: Buffer.from(text), executable: false })
const CHANGES = new Map([
  ['README.md', file('new\n')],
  ['lib/app/users/unknown.ts', undefined],
  ['lib/notes/src/a.ts', file('a\n')],
  ['build.sh', { content: Buffer.from('#!/bin/bash\n'), executable: true }],
])
const apply = (changes: ReadonlyMap<string, TreeFile | undefined> = CHANGES, onReady?: (backup: string, program: string) => void) =>
  applyChanges({
    folder: stage.application,
    versions: { from: '1', to: '2' },
    changes,
    offered: new Map(),
    now: () => Date.UTC(2026, 10, 30),
    ...(onReady && { onReady }),
  })

describe('changes', () => {
  it('are undone, with added files and emptied folders', () => {
    const backup = apply()
    expect([stage.read('README.md'), stage.read('lib/notes/src/a.ts'), existsSync(join(stage.application, 'lib/app/users'))]).toEqual([
      'new\n',
      'a\n',
      false,
    ])
    expect(backup).toBe(join(stage.application, '.local/upgrade/2026-11-30T00-00-00'))
    expect(undoUpgrade(backup, stage.application)).toMatchObject({ from: '1', to: '2' })
    expect(all()).toEqual(before)
    expect(existsSync(join(stage.application, 'lib/notes'))).toBe(false)
  })

  it('lose nothing that was edited before the undo', () => {
    const backup = apply()
    stage.edit({ 'README.md': 'edited\n', 'lib/notes/src/a.ts': 'edited\n' })
    undoUpgrade(backup, stage.application)
    expect(['README.md', 'lib/notes/src/a.ts'].map(path => readFileSync(join(backup, 'undone', path), 'utf8'))).toEqual(['edited\n', 'edited\n'])
  })

  it('are undone from the newest on', () => {
    apply(new Map([['README.md', file('second\n')]]))
    apply(new Map([['README.md', file('third\n')]]))
    const undo = () => {
      const backup = lastBackup(join(stage.application, '.local/upgrade'))
      if (backup !== undefined) undoUpgrade(backup, stage.application)
      return stage.read('README.md')
    }
    expect([undo(), undo(), undo()]).toEqual(['second\n', 'one\ntwo\nthree\nfour\nfive\n', 'one\ntwo\nthree\nfour\nfive\n'])
  })

  it('are undone by the program beside them after a kill halfway', () => {
    const devkit = join(import.meta.dirname, '../../src/upgrade')
    const program = `
      import { applyChanges } from ${JSON.stringify(join(devkit, 'apply.ts'))}
      const content = Buffer.from('new')
      const changes = new Map([['README.md', { content }], ['lib/notes/a.ts', { content }], ['project.yml', { content }]])
      const entries = changes.entries.bind(changes)
      let round = 0
      // The first round stages, the second one writes.
      changes[Symbol.iterator] = function* () {
        round += 1
        for (const entry of entries()) {
          if (round === 2 && entry[0] === 'project.yml') process.kill(process.pid, 'SIGKILL')
          yield entry
        }
      }
      applyChanges({ folder: process.cwd(), versions: { from: '1', to: '2' }, changes, offered: new Map() })`
    const { signal } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { cwd: stage.application })
    expect(signal).toBe('SIGKILL')
    expect([stage.read('README.md'), stage.read('lib/notes/a.ts')]).toEqual(['new', 'new'])
    const [undo = ''] = globSync('.local/upgrade/*/undo.mts', { cwd: stage.application })
    expect(execFileSync(process.execPath, [undo], { cwd: stage.application, encoding: 'utf8' })).toContain('Undone: 3 files')
    expect(all()).toEqual(before)
  })

  it('are undone at once when a file cannot be written', () => {
    const changes = new Map([...CHANGES, ['lib/blocked', file('x\n')]])
    expect(() => apply(changes, () => mkdirSync(join(stage.application, 'lib/blocked/in-its-place'), { recursive: true }))).toThrow(
      'Nothing is changed',
    )
    rmSync(join(stage.application, 'lib/blocked'), { recursive: true })
    expect(all()).toEqual(before)
  })

  it('keep the mode of a file apart from what may run it', () => {
    chmodSync(join(stage.application, 'README.md'), 0o640)
    chmodSync(join(stage.application, 'build.sh'), 0o640)
    apply()
    const modeOf = (path: string) => (statSync(join(stage.application, path)).mode & 0o777).toString(8)
    expect(['README.md', 'build.sh'].map(modeOf)).toEqual(['640', '750'])
  })
})
