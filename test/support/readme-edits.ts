import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WholeCheckout } from './whole-checkout.ts'

const SECTIONS = ['An example: orders', 'One trigger for two functions']

/** Adds to a checkout what the README adds in its examples. */
export async function addAsTheReadmeSays(checkout: WholeCheckout): Promise<void> {
  const readme = readFileSync(join(checkout.checkout, 'README.md'), 'utf8')
  for (const step of SECTIONS.flatMap(section => stepsOf(readme, section))) {
    if (step.kind === 'command') {
      const { status, output } = await checkout.run('sh', '-c', step.line)
      if (status !== 0) throw new Error(`${step.line}: ${output}`)
      continue
    }
    const file = join(checkout.checkout, step.path)
    checkout.write(step.path, step.apply(existsSync(file) ? readFileSync(file, 'utf8') : undefined))
  }
}

/** One step of an example in the README. */
type Step =
  | { readonly kind: 'command'; readonly line: string }
  /** `apply` returns what the file holds then; `before` is undefined when there is none. */
  | { readonly kind: 'edit'; readonly path: string; apply(before: string | undefined): string }

const BLOCK = /^```(?<language>\w+)\n(?<body>.*?)\n```$/gms
// The last path before a block is that of its file.
const PATH = /`(?<path>[\w./-]+)`(?<replaces>, in place of what is there)?:\n\n$/

/** Returns the commands and edits of a section, in their order. Of the commands it takes those of npm that run no test. */
function stepsOf(readme: string, section: string): Step[] {
  const [, text = ''] = new RegExp(`^### ${section}\n(.*?)^##`, 'ms').exec(readme) ?? []
  return [...text.matchAll(BLOCK)].flatMap(({ groups, index }): Step[] => {
    const { language = '', body = '' } = groups ?? {}
    if (language === 'sh') return commandsOf(body)
    const { path, replaces } = PATH.exec(text.slice(0, index))?.groups ?? {}
    if (path === undefined) throw new Error(`A block in ${section} says not which file it is of: ${body.slice(0, 60)}`)
    const apply = (before: string | undefined) =>
      language === 'diff' ? patch(path, body, before) : replaced(path, body, replaces !== undefined, before)
    return [{ kind: 'edit', path, apply }]
  })
}

function commandsOf(body: string): Step[] {
  return body.split('\n').flatMap(line => (/^npm run (?!test)/.test(line) ? [{ kind: 'command', line }] : []))
}

function replaced(path: string, body: string, replaces: boolean, before: string | undefined): string {
  if ((before !== undefined) !== replaces) throw new Error(`${path} is ${before === undefined ? 'not there' : 'there already'}`)
  return `${body}\n`
}

/** Applies hunks without line numbers, apart by `@@`. */
function patch(path: string, body: string, before = ''): string {
  return body.split('\n@@\n').reduce((text, hunk) => {
    const lines = hunk.split('\n')
    const side = (left: string) =>
      lines.flatMap(line => (line.startsWith(left) || line.startsWith(' ') || line === '' ? [`${line.slice(1)}\n`] : [])).join('')
    const [from, to] = [side('-'), side('+')]
    const parts = text.split(from)
    if (parts.length !== 2) throw new Error(`${path} has this ${parts.length - 1} times:\n${from}`)
    return parts.join(to)
  }, before)
}
