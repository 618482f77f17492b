import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The package.json that every function is deployed with. */
export const MANIFEST = '../../../lib/zip/package.json'
/** Lines that the build writes itself. */
const OWN = /^(?:dist\/[\w.-]+\.js|\.\.\/\.\.\/\.\.\/lib\/zip\/package\.json)$/

/**
 * Writes the .include of each function that has a bundle among `outputs`, paths in the checkout: the bundle, the parts that it may ask for, and package.json. Lines for other
 * files stay. A file that is right is not touched.
 */
export function writeIncludeFiles(checkout: string, outputs: readonly string[]): void {
  const products = new Map<string, string[]>()
  for (const path of outputs) {
    const [, folder, file] = /^(packages\/[^/]+\/[^/]+)\/(dist\/[^/]+\.js)$/.exec(path) ?? []
    if (folder !== undefined && file !== undefined) products.set(folder, [...(products.get(folder) ?? []), file])
  }
  for (const [folder, files] of products) {
    const path = join(checkout, folder, '.include')
    const before = existsSync(path) ? readFileSync(path, 'utf8') : ''
    const others = otherLines(before)
    // The entry leads.
    const sorted = files.sort((one, other) => Number(other === 'dist/index.js') - Number(one === 'dist/index.js') || (one < other ? -1 : 1))
    const text = [...sorted, MANIFEST, ...others].map(line => `${line}\n`).join('')
    if (text !== before) writeFileSync(path, text)
  }
}

/** Returns the lines of an .include that the build does not write: files of the application's own. */
export function otherLines(text: string): string[] {
  return text.split(/\r?\n/).filter(line => line.trim() !== '' && !OWN.test(line.trim()))
}
