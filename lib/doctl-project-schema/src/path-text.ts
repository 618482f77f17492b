/**
 * A path as its reader would write it: `packages[0].functions[1].web`. A key that neither stands in the original
 * text nor is a word of the schema came out of a variable, and must not be shown.
 */
export function pathText(path: readonly (string | number)[], originalText: string, schemaWords: ReadonlySet<string>): string {
  let result = ''
  for (const segment of path) {
    if (typeof segment === 'number') result += `[${segment}]`
    else if (!schemaWords.has(segment) && !originalText.includes(segment)) result += '[(substituted)]'
    else if (/^[A-Za-z_][\w-]*$/.test(segment)) result += result ? `.${segment}` : segment
    else result += `[${JSON.stringify(segment)}]`
  }
  return result
}
