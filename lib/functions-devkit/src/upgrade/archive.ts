import { gunzipSync } from 'node:zlib'
import { unzipSync } from 'fflate'
import { readTar } from './tar.ts'
import { withoutIgnored, type Tree, type TreeFile } from './tree.ts'

/**
 * Returns the files of a .tar.gz or a .zip, without the folder that holds all of them.
 * @throws Error for another kind of file, and for a path that leads out of the archive.
 */
export function readArchive(bytes: Buffer): Tree {
  const files = unpack(bytes)
  for (const path of files.keys()) {
    if (/^[/\\]|^[a-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)/i.test(path)) throw new Error(`The archive holds ${path}, which leads out of it: it is not used`)
  }
  const paths = [...files].map(([path, file]) => [path.replace(/^(?:\.\/)+/, ''), file] as const)
  const [top = ''] = paths[0]?.[0].split('/') ?? []
  const isWrapped = paths.length > 0 && paths.every(([path]) => path.startsWith(`${top}/`))
  return withoutIgnored(new Map(paths.map(([path, file]) => [isWrapped ? path.slice(top.length + 1) : path, file])))
}

function unpack(bytes: Buffer): Map<string, TreeFile> {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return readTar(gunzip(bytes))
  if (bytes.toString('latin1', 0, 2) !== 'PK') throw new Error('It is no archive: give a .tar.gz or a .zip')
  const files = Object.entries(unzipSync(bytes)).filter(([path]) => !path.endsWith('/'))
  return new Map(files.map(([path, content]) => [path, { content: Buffer.from(content) }]))
}

function gunzip(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes)
  } catch (cause) {
    throw new Error('The archive is cut off or damaged: fetch it again', { cause })
  }
}
