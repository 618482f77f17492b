/** A change of one file that the README asks for. */
export interface Edit {
  readonly path: string
  /** What the file holds then; `before` is undefined for a new one. */
  apply(before: string | undefined): string
}

const STEP = [
  // A new file, or lines for one that is there.
  /^ *(?:\d+\. )?(?:[^`\n]*\. )?(?:In )?`(?<path>[^`]+)`(?:, (?<where>behind|before) the line of `(?<mark>[^`]+)`)?(?:, (?!replace)[^\n]*?)?:\n\n(?<indent> +)```\w*\n(?<block>.*?)\n +```$/,
  /In `(?<path>[^`]+)`, (?:[^`\n]*?)replace (?<changes>`[^\n]+?`)\.(?: |$)/,
]

/** The edits of a chapter, in their order. */
export function editsOf(readme: string, chapter: string): Edit[] {
  const [, text = ''] = new RegExp(`^## ${chapter}\n(.*?)^## `, 'ms').exec(readme) ?? []
  return text
    .split(/^### /m)
    .flatMap(section => section.split(/\n(?=\d+\. |\n {3}In `)|(?<=\. )(?=In `)/))
    .flatMap(readStep)
}

function readStep(step: string): Edit[] {
  const lines = new RegExp(STEP[0]?.source ?? '', 'ms').exec(step)?.groups
  if (lines?.path !== undefined && lines.block !== undefined) return [linesOf(lines.path, lines)]
  const replaced = new RegExp(STEP[1]?.source ?? '', 'm').exec(step)?.groups
  if (replaced?.path !== undefined) return [replacement(replaced.path, replaced.changes ?? '')]
  return []
}

function linesOf(path: string, { where, mark, indent = '', block = '' }: Partial<Record<string, string>>): Edit {
  const added = `${block.replaceAll(new RegExp(`^${indent}`, 'gm'), '')}\n`
  return {
    path,
    apply(before) {
      if (mark === undefined) {
        if (before !== undefined) throw new Error(`${path} is there already`)
        return added
      }
      const lines = (before ?? '').split(/(?<=\n)/)
      // A line is that of a name when it begins with it, whatever the table or the list around it.
      const found = lines.findIndex(line => line.replace(/^[\s|`]+/, '').startsWith(mark))
      if (found === -1) throw new Error(`${path} has no line of ${mark}`)
      return lines.toSpliced(where === 'behind' ? found + 1 : found, 0, added).join('')
    },
  }
}

function replacement(path: string, changes: string): Edit {
  const pairs = [...changes.matchAll(/`([^`]+)` by `([^`]+)`/g)].map(([, from = '', to = '']) => [unescaped(from), unescaped(to)] as const)
  return {
    path,
    apply(before = '') {
      return pairs.reduce((text, [from, to]) => {
        const at = text.lastIndexOf(from)
        if (at === -1) throw new Error(`${path} has no ${JSON.stringify(from)}`)
        return text.slice(0, at) + to + text.slice(at + from.length)
      }, before)
    },
  }
}

function unescaped(text: string): string {
  return text.replaceAll(String.raw`\n`, '\n')
}
