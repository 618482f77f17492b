import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { unzipSync } from 'fflate'
import { atExit } from './at-exit.ts'

/** The file system of a container: a home folder and the unpacked function, nothing else above or beside. */
export interface ActionFolder {
  home: string
  action: string
  remove(): void
}

/** Unpacks a zip into a new folder outside the checkout, so that no node_modules is found from there. */
export function unpack(zip: Buffer): ActionFolder {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'container-')))
  const remove = () => {
    spared()
    rmSync(root, { recursive: true, force: true })
  }
  const spared = atExit(remove)
  try {
    const home = join(root, 'home')
    const action = join(root, 'action')
    mkdirSync(home)
    mkdirSync(action)
    for (const [name, content] of Object.entries(unzipSync(zip))) {
      const path = join(action, name)
      if (relative(action, path).startsWith('..')) throw new Error(`The zip reaches out of its folder: ${name}`)
      if (name.endsWith('/')) continue
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
    }
    return { home, action, remove }
  } catch (error) {
    remove()
    throw error
  }
}
