#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { functionsOf } from './functions-of.ts'
import { parseProject } from './parse-project.ts'
import { placeholderEnvironment } from './placeholder-environment.ts'
import { ProjectFileError } from './project-file-error.ts'

const USAGE = `usage: doctl-project-schema functions [file]

  functions   print package/function for each function of the file (project.yml by default), one a line;
              variables need not be set
`

/** 0: done, 1: the file is refused or cannot be read, 2: wrong usage. */
export type ExitStatus = 0 | 1 | 2

export interface CommandOutput {
  out: (text: string) => void
  err: (text: string) => void
}

/** Runs the command line: results go to `out`, everything else to `err`. */
export function runCommand(args: readonly string[], { out, err }: CommandOutput): ExitStatus {
  const [subcommand, fileName = 'project.yml', ...rest] = args
  if (subcommand === '--help' || subcommand === '-h') {
    out(USAGE)
    return 0
  }
  if (subcommand !== 'functions' || rest.length > 0 || fileName.startsWith('-')) {
    err(USAGE)
    return 2
  }
  try {
    const text = readFileSync(fileName, 'utf8')
    const project = parseProject(text, placeholderEnvironment(text), { fileName })
    out(
      functionsOf(project)
        .map(({ qualifiedName }) => `${qualifiedName}\n`)
        .join(''),
    )
    return 0
  } catch (error) {
    if (!(error instanceof ProjectFileError) && !isSystemError(error)) throw error
    err(`${error.message}\n`)
    return 1
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}

if (import.meta.main) {
  process.exitCode = runCommand(process.argv.slice(2), {
    out: text => process.stdout.write(text),
    err: text => process.stderr.write(text),
  })
}
