import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')
// What a shell, the deployer or a container reads; a shell takes the other line end for a part of the word before it.
const FILES = ['build.sh', 'lib/build.sh', '.ci/run', 'packages/api/user/index.ts', '.env.example']

it('a clone on a machine that is set to Windows line ends has scripts that run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'line-ends-'))
  const git = (...words: string[]) => execFileSync('git', words, { cwd: join(folder, 'origin'), stdio: 'pipe' })
  try {
    cpSync(join(ROOT, '.gitattributes'), join(folder, 'origin/.gitattributes'))
    for (const file of FILES) {
      mkdirSync(dirname(join(folder, 'origin', file)), { recursive: true })
      writeFileSync(join(folder, 'origin', file), 'one\ntwo\n')
    }
    git('init', '-q')
    git('add', '.')
    git('-c', 'user.name=test', '-c', 'user.email=test@example.com', 'commit', '-qm', 'All of it')
    git('-c', 'core.autocrlf=true', 'clone', '-q', '-c', 'core.autocrlf=true', '.', '../clone')
    expect(FILES.filter(file => readFileSync(join(folder, 'clone', file), 'utf8').includes('\r'))).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
