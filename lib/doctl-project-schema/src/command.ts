import { runCheck } from './command/check.ts'
import { type CommandOutput, type ExitStatus } from './command/output.ts'
import { runFunctions } from './command/functions.ts'
import { projectJsonSchema } from './json-schema.ts'

const USAGE = `usage: doctl-project-schema check [folder] [--built] [--env file] [--accept warning]... [--json]
       doctl-project-schema functions [file]
       doctl-project-schema schema

  check       judge project.yml and the tree around it (of the working directory by default)
                --built     what .include names has to be there: the build has run
                --env file  read the file with these variables, and those of the process, in place of stand-ins
                --accept    leave out a warning that is meant, by its name: --accept slow-public:api/report
                --json      print {"problems": [...], "warnings": [...]}
  functions   print package/function for each function of the file (project.yml by default), one a line, without
              sequences and images, which have no code to build; variables need not be set
  schema      print the JSON Schema of project.yml

exit status: 0 fine, warnings included; 1 refused; 2 wrong usage, or nothing to read there
`

/** Runs the command line: results go to `out`, everything else to `err`. */
export function runCommand(args: readonly string[], output: CommandOutput): ExitStatus {
  const [subcommand = '', ...rest] = args
  if (args.some(argument => argument === '--help' || argument === '-h')) {
    output.out(USAGE)
    return 0
  }
  switch (subcommand) {
    case 'check':
      return runCheck(rest, output) ?? misused(output)
    case 'functions':
      return runFunctions(rest, output) ?? misused(output)
    case 'schema':
      if (rest.length > 0) return misused(output)
      output.out(`${JSON.stringify(projectJsonSchema(), undefined, 2)}\n`)
      return 0
    default:
      return misused(output)
  }
}

function misused({ err }: CommandOutput): ExitStatus {
  err(USAGE)
  return 2
}

/** Runs the command line of this process. */
export function main(): void {
  const { stdout, stderr, env } = process
  process.exitCode = runCommand(process.argv.slice(2), {
    out: text => stdout.write(text),
    err: text => stderr.write(text),
    colour: stdout.isTTY && !env.NO_COLOR && env.TERM !== 'dumb',
  })
}
