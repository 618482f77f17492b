import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { defineCommand, UsageError, type Command } from '../../src/cli/define-command.ts'
import { REPOSITORY } from '../support/tested-application.ts'

const SOURCE = join(import.meta.dirname, '../../src')
const LAUNCHER = join(import.meta.dirname, '../../bin/functions-devkit.mjs')
const GUARD = pathToFileURL(join(import.meta.dirname, '../support/nothing-else.mjs')).href

const { COMMANDS } = (await import(join(SOURCE, 'cli/commands.mjs'))) as {
  COMMANDS: Readonly<Record<string, { readonly program: string; readonly options?: string }>>
}
const commands = Object.entries(COMMANDS).map(([name, { program, options = `cli/options/${name}` }]) => ({ name, program, options }))

/** Runs a command where nothing but printing is possible. */
function launch(words: readonly string[], { preload = [] as readonly string[] } = {}) {
  const imports = [GUARD, ...preload].flatMap(one => ['--import', one])
  const { status, stdout, stderr } = spawnSync(process.execPath, [...imports, LAUNCHER, ...words], {
    cwd: REPOSITORY,
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '' },
  })
  return { status, stdout, stderr }
}

describe.each(commands)('functions-devkit $name', ({ name, program, options }) => {
  it.each([[['--help']], [['-h']], [['surplus', '--no-such-option', '--help']]])('prints its usage and does nothing for %j', words => {
    const { status, stdout, stderr } = launch([name, ...words])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`^usage: .*\\b${name}\\b`))
  })

  it('refuses an unknown option before it does anything', () => {
    expect(launch([name, '--no-such-option'])).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/^Unknown option '--no-such-option'[^]*\nusage: /) as unknown,
    })
  })

  it('works with what it declares', () => {
    const text = readFileSync(join(SOURCE, `${program}.ts`), 'utf8')
    const place = relative(join(SOURCE, program, '..'), join(SOURCE, `${options}.ts`)).replace(/^(?!\.)/, './')
    expect(text).toMatch(new RegExp(`^import \\{ command\\b.*\\} from '${place.replaceAll('.', '\\.')}'$`, 'm'))
    expect(text).toContain('command.readOrExit()')
    expect(text).not.toMatch(/process\.argv|parseArgs/)
  })
})

describe('the launcher', () => {
  const set = (what: string) => `data:text/javascript,${encodeURIComponent(what)}`

  it('shows all commands where options cannot be loaded', () => {
    const preload = [set('Object.defineProperty(process.features, "typescript", { value: false })')]
    expect(launch(['webhooks', '--help'], { preload })).toMatchObject({ status: 0, stdout: expect.stringMatching(/^ {2}webhooks /m) as unknown })
  })

  it('names Windows as unsupported in one line', () => {
    const preload = [set('Object.defineProperty(process, "platform", { value: "win32" })')]
    expect(launch(['secrets'], { preload })).toEqual({
      status: 2,
      stdout: '',
      stderr: 'Windows is not supported: use the Windows Subsystem for Linux\n',
    })
    expect(launch(['secrets', '--help'], { preload }).status).toBe(0)
  })

  it('has a program and options for every command', () => {
    expect(commands.length).toBeGreaterThan(15)
    for (const { program, options } of commands) for (const path of [program, options]) expect(existsSync(join(SOURCE, `${path}.ts`))).toBe(true)
  })
})

describe('the guard of these tests', () => {
  it.each([
    ['listens', 'import("node:net").then(net => net.createServer().listen(0))'],
    ['connects', 'import("node:net").then(net => net.connect(1))'],
    ['writes a file', 'import("node:fs").then(fs => fs.writeFileSync("/nonexistent/file", ""))'],
    ['starts a program', 'import("node:child_process").then(child => child.spawnSync("true"))'],
  ])('ends a program that %s', (_what, code) => {
    expect(spawnSync(process.execPath, ['--import', GUARD, '--eval', code]).status).toBe(99)
  })
})

describe('a declared command', () => {
  const command: Command<{ readonly loud: boolean }> = defineCommand({
    usage: 'usage: shout',
    options: { loud: { type: 'boolean', default: false }, times: { type: 'string' } },
    read({ values: { loud, times } }) {
      if (times === '0') throw new Error('--times is to be more than 0')
      return { loud }
    },
  })

  it('returns what it reads', () => {
    expect(command.parse([])).toEqual({ loud: false })
    expect(command.parse(['--loud', '--times', '2'])).toEqual({ loud: true })
  })

  it.each([
    [['--quiet'], /^Unknown option '--quiet'[^]*\nusage: shout$/],
    [['now'], /^There is no argument 'now'\nusage: shout$/],
    [['--times', '0'], /^--times is to be more than 0\nusage: shout$/],
    [['--times'], /^Option '--times <value>' argument missing\nusage: shout$/],
  ])('explains why it does not take %j', (args, message) => {
    expect(() => command.parse(args)).toThrow(UsageError)
    expect(() => command.parse(args)).toThrow(message)
  })

  it('hands on every argument of a command that starts another program', () => {
    const other = defineCommand({ usage: 'usage: other', passesOn: true, read: ({ words }) => words })
    expect(other.parse(['-t', 'name', '--unknown'])).toEqual(['-t', 'name', '--unknown'])
  })
})
