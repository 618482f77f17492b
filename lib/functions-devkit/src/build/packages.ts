/** Where a bundled file comes from when it is not our own. */
export interface PackageFolder {
  readonly name: string
  /** `node_modules/a/node_modules/b`: how package-lock.json names it. */
  readonly folder: string
}

const FOLDER = /^.*?(?=node_modules\/)((?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+))\//

// In a checkout, and in the package.
const STAND_IN = /(?:^|\/)functions-devkit\/(?:dist\/functions-devkit\/)?src\/stand-ins\//

/** Whether a file is one of ours that takes the place of a package's. */
export function isStandIn(path: string): boolean {
  return STAND_IN.test(path)
}

/** The npm package that a file is in; undefined for our own code. */
export function packageOf(path: string): PackageFolder | undefined {
  const [, folder, name] = FOLDER.exec(path) ?? []
  return folder === undefined || name === undefined ? undefined : { name, folder }
}
