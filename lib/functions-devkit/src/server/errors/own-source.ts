import { existsSync, realpathSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A place in a source file. */
export interface SourceLine {
  /** Relative to the checkout, with `/`. */
  readonly file: string
  readonly line: number
}

const PLACE = /\(?((?:file:\/\/)?\/[^()]+?):(\d+):\d+\)?$/

/** Makes what finds the application's own code in stacks: files of the checkout that belong to no package of npm or of the framework. */
export function ownSourceIn(checkout: string): (frame: string) => SourceLine | undefined {
  const root = realpathSync(checkout)
  const packages = new Map<string, boolean>()

  // The framework's packages lie in lib, each with a package.json.
  function isPackage(folder: string): boolean {
    const known = packages.get(folder) ?? existsSync(join(root, folder, 'package.json'))
    packages.set(folder, known)
    return known
  }

  return frame => {
    const [, place = '', line = ''] = PLACE.exec(frame) ?? []
    if (place === '') return undefined
    const file = relative(root, place.startsWith('file:') ? fileURLToPath(place) : place)
      .split(sep)
      .join('/')
    if (file.startsWith('../') || /(?:^|\/)(?:node_modules|dist)\/|^\./.test(file)) return undefined
    const [top = '', second = ''] = file.split('/')
    return top === 'lib' && isPackage(join(top, second)) ? undefined : { file, line: Number(line) }
  }
}
