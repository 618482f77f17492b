import { textOf, type TreeFile } from './tree.ts'

/** Returns the command in the first line of a file that it writes. */
export function commandIn(file: TreeFile | undefined): string | undefined {
  return /^\/\/ Written by `(npm [^`\n]+)`/.exec(textOf(file) ?? '')?.[1]
}

// As `npm run sync` marks its part of README.md and .env.example.
const WRITTEN_PART = /^(?<begin>.*\bwritten by `?npm run [\w:-]+`?, do not edit\b.*\n)(?<lines>[^]*?)(?=^.*\bend of\b)/im

/** Returns a text with the lines of another one in the part that a command writes: it writes them again after a merge. */
export function withWrittenPartOf(text: string, other: string): string {
  const lines = WRITTEN_PART.exec(other)?.groups?.['lines']
  return lines === undefined ? text : text.replace(WRITTEN_PART, (_, begin: string) => begin + lines)
}
