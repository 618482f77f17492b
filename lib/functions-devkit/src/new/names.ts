import { Script } from 'node:vm'

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/
// Valid in JavaScript, and something else in every file.
const GLOBALS = ['undefined', 'globalThis']

/**
 * Returns words as one name in kebab case: `order items`, `OrderItems` and `order_items` are `order-items`.
 * @throws Error for other words.
 */
export function slugOf(words: readonly string[]): string {
  const slug = words
    .join('-')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/[\s_]+/g, '-')
    .toLowerCase()
  if (!NAME.test(slug)) throw new Error('A name is made of letters, digits and -, and begins with a letter: add-orders')
  return slug
}

/**
 * Returns a name in kebab case as one of JavaScript: `orderItems`; with `ending` when it is reserved, or `taken` by the file that uses it:
 * `newTable`.
 */
export function identifierOf(slug: string, ending: string, taken: readonly string[] = []): string {
  const name = camelCaseOf(slug)
  return isUsable(name) && !taken.includes(name) ? name : `${name}${ending}`
}

/** `orderItems` */
export function camelCaseOf(slug: string): string {
  return slug.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

/** `OrderItems` */
export function pascalCaseOf(slug: string): string {
  return camelCaseOf(`-${slug}`)
}

/** `ORDER_ITEMS` */
export function constantCaseOf(slug: string): string {
  return slug.replaceAll('-', '_').toUpperCase()
}

/** Returns the name of one of many, for the usual English plurals: `order-items` is `order-item`. */
export function singularOf(slug: string): string {
  if (/ies$/.test(slug)) return slug.replace(/ies$/, 'y')
  if (/(?:ss|sh|ch|x|z)es$/.test(slug)) return slug.replace(/es$/, '')
  return /[^su]s$/.test(slug) ? slug.slice(0, -1) : slug
}

function isUsable(name: string): boolean {
  if (GLOBALS.includes(name)) return false
  try {
    // Compiled and never run: an async function refuses the reserved words of modules as well.
    new Script(`'use strict'; async () => { const ${name} = 0 }`)
    return true
  } catch {
    return false
  }
}
