const VERSION = /^v?(\d+)\.(\d+)\.(\d+)(?:-([\w.-]+))?(?:\+.*)?$/

/** Returns whether a version comes before another one (Semantic Versioning 2.0.0); false for names that are no versions. */
export function isOlder(version: string, other: string): boolean {
  const [one, two] = [VERSION.exec(version), VERSION.exec(other)]
  if (one === null || two === null) return false
  const numbers = [1, 2, 3].map(index => Number(one[index]) - Number(two[index])).find(difference => difference !== 0)
  if (numbers !== undefined) return numbers < 0
  const [before, after] = [one[4], two[4]]
  // A prerelease comes before its release.
  if (before === undefined || after === undefined) return before !== undefined && after === undefined
  return comparePrereleases(before.split('.'), after.split('.')) < 0
}

function comparePrereleases(one: readonly string[], other: readonly string[]): number {
  for (const [index, part] of one.entries()) {
    const against = other[index]
    if (against === undefined) return 1
    if (part === against) continue
    const [isNumber, isNumberToo] = [part, against].map(text => /^\d+$/.test(text))
    if (isNumber && isNumberToo) return Number(part) - Number(against)
    if (isNumber !== isNumberToo) return isNumber ? -1 : 1
    return part < against ? -1 : 1
  }
  return one.length - other.length
}
