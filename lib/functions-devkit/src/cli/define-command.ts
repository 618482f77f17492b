import { parseArgs, type ParseArgsConfig } from 'node:util'

type Options = NonNullable<ParseArgsConfig['options']>

/** What stands behind the name of a command. */
export interface Given<Declared extends Options> {
  readonly values: ReturnType<typeof parseArgs<{ options: Declared }>>['values']
  /** What is no option, in order. */
  readonly words: readonly string[]
}

export interface CommandDeclaration<Declared extends Options, Read> {
  /** Begins with `usage:` and how the command is called. */
  readonly usage: string
  /** Besides `--help` and `-h`, which every command has. */
  readonly options?: Declared
  /** Whether it takes what is no option; it is refused otherwise. */
  readonly takesWords?: boolean
  /** For a command that hands its words to another program: options that are not declared are words. */
  readonly passesOn?: boolean
  /**
   * Turns what was given into what the command works with.
   * @throws Error in words for what it does not take; one without a message is explained by the usage alone
   */
  readonly read: (given: Given<Declared>) => Read
}

export interface Command<Read> {
  readonly usage: string
  /** @throws UsageError */
  readonly parse: (args: readonly string[]) => Read
  /**
   * Returns what this process was called with. Ends the process with the usage instead: with status 0 where `--help` or `-h`
   * is among the arguments, with 2 for arguments that the command does not take.
   */
  readonly readOrExit: () => Read
}

/** The arguments are not those of the command. The message says what is wrong, followed by the usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const HELP = ['--help', '-h']

/** Declares how a command is called. Its file loads nothing else, so that the usage can be shown without starting anything. */
export function defineCommand<const Declared extends Options = Record<never, never>, Read = void>({
  usage,
  options,
  takesWords = false,
  passesOn = false,
  read,
}: CommandDeclaration<Declared, Read>): Command<Read> {
  function parse(args: readonly string[]): Read {
    try {
      if (passesOn) return read({ values: {} as Given<Declared>['values'], words: args })
      const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: options ?? {} })
      if (!takesWords && positionals.length > 0) throw new Error(`There is no argument '${positionals[0]}'`)
      return read({ values: values as unknown as Given<Declared>['values'], words: positionals })
    } catch (cause) {
      const { message } = cause as Error
      throw new UsageError(message === '' ? usage : `${message}\n${usage}`, { cause })
    }
  }

  return {
    usage,
    parse,
    readOrExit() {
      const args = process.argv.slice(2)
      if (asksForHelp(args)) {
        process.stdout.write(`${usage}\n`)
        process.exit(0)
      }
      try {
        return parse(args)
      } catch (error) {
        if (!(error instanceof UsageError)) throw error
        process.stderr.write(`${error.message}\n`)
        process.exit(2)
      }
    },
  }
}

/** What is behind `--` is for the command alone. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end === -1 ? args.length : end).some(word => HELP.includes(word))
}
