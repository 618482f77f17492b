/** Where a bundled file comes from when it is not our own. */
export interface PackageFolder {
  readonly name: string
  /** `node_modules/a/node_modules/b`: how package-lock.json names it. */
  readonly folder: string
}

const FOLDER = /^.*?(?=node_modules\/)((?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+))\//

/** The npm package that a file is in; undefined for our own code. */
export function packageOf(path: string): PackageFolder | undefined {
  const [, folder, name] = FOLDER.exec(path) ?? []
  return folder === undefined || name === undefined ? undefined : { name, folder }
}
