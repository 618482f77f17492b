import type { SettingDocumentation } from '../../../functions-runtime/src/settings/settings.ts'

/** Settings of an application by variable, with what is known of each. */
export type DocumentedSettings = Readonly<Record<string, SettingDocumentation>>

/** A file with a part that is written: the lines between two marks. */
interface Region {
  readonly begin: string
  readonly end: string
  readonly lines: (settings: DocumentedSettings) => string[]
  /** Returns the variables that a text has. */
  readonly namesIn: (text: string) => string[]
}

const REGIONS: Readonly<Record<string, Region>> = {
  'README.md': {
    begin: '<!-- settings: written by `npm run sync`, do not edit -->',
    end: '<!-- end of settings -->',
    lines: settings => ['', '| variable | meaning | default |', '| --- | --- | --- |', ...rowsOf(settings), ''],
    namesIn: text =>
      [...text.matchAll(/^\|([^|\n]*)\|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`([A-Z][A-Z0-9_]*)`/g)].map(([, name = '']) => name)),
  },
  '.env.example': {
    begin: '# --- Settings of the application: written by npm run sync, do not edit ---',
    end: '# --- End of the settings of the application ---',
    lines: settings => sorted(settings).flatMap(([name, { meaning, value }]) => [`# ${capitalised(meaning)}`, `${name}=${quoted(value)}`]),
    namesIn: text => [...text.matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map(([, name = '']) => name),
  },
}

/** Files with such a part. */
export const DOCUMENTED_FILES = Object.keys(REGIONS)

/**
 * Returns the text of a documented file with its part written again. A text without the marks stays as it is, and a variable that the
 * rest of the text has is left out.
 */
export function syncDocumentation(file: string, text: string, settings: DocumentedSettings): string {
  const region = REGIONS[file]
  if (region === undefined) throw new Error(`${file} has no part that is written`)
  const end = text.includes('\r\n') ? '\r\n' : '\n'
  const from = text.indexOf(`${region.begin}${end}`)
  const to = text.indexOf(region.end, from)
  if (from === -1 || to === -1) return text
  const [before, behind] = [text.slice(0, from), text.slice(to)]
  const elsewhere = new Set(region.namesIn(`${before}\n${behind}`))
  const own = Object.fromEntries(Object.entries(settings).filter(([name]) => !elsewhere.has(name)))
  return `${before}${[region.begin, ...region.lines(own)].map(line => `${line}${end}`).join('')}${behind}`
}

function rowsOf(settings: DocumentedSettings): string[] {
  return sorted(settings).map(([name, { meaning, fallback = 'has to be set' }]) => `| \`${name}\` | ${cell(meaning)} | ${cell(fallback)} |`)
}

function sorted(settings: DocumentedSettings): [name: string, documentation: SettingDocumentation][] {
  return Object.entries(settings).sort(([one], [other]) => (one < other ? -1 : 1))
}

function cell(text: string): string {
  return onOneLine(text).replaceAll('|', String.raw`\|`)
}

function capitalised(text: string): string {
  const line = onOneLine(text).replaceAll('`', '')
  return line.slice(0, 1).toUpperCase() + line.slice(1)
}

function onOneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

// In .env, # begins a comment and blanks at the ends go.
function quoted(value: string): string {
  return /[#\s'"\\]/.test(value) ? `"${value.replaceAll('\n', String.raw`\n`)}"` : value
}
