import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { applicationFolderAt } from '../src/application-folder.ts'

describe('the folder of the application', () => {
  let root: string
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'folder-')))
    mkdirSync(join(root, 'packages/api'), { recursive: true })
  })
  afterEach(() => rmSync(root, { recursive: true }))

  it('is the nearest one with a project.yml', () => {
    writeFileSync(join(root, 'project.yml'), '')
    expect([root, join(root, 'packages/api')].map(applicationFolderAt)).toEqual([root, root])
    writeFileSync(join(root, 'packages/project.yml'), '')
    expect(applicationFolderAt(join(root, 'packages/api'))).toBe(join(root, 'packages'))
  })

  it('is the given one without any project.yml', () => {
    expect(applicationFolderAt(join(root, 'packages'))).toBe(join(root, 'packages'))
  })
})
