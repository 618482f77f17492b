/** Whether a version is older than another, by major and minor number. */
export function isOlder(version: string, than: string): boolean {
  const [[major = 0, minor = 0], [leastMajor = 0, leastMinor = 0]] = [numbersOf(version), numbersOf(than)]
  return major < leastMajor || (major === leastMajor && minor < leastMinor)
}

function numbersOf(version: string): number[] {
  return version.split('.').map(part => Number.parseInt(part, 10))
}
