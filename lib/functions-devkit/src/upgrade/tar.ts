import type { TreeFile } from './tree.ts'

// Bytes of a header, and what files are filled up to.
const BLOCK = 512

/** The fields of a header, as offset and length. */
const FIELDS = { name: [0, 100], mode: [100, 8], size: [124, 12], type: [156, 1], prefix: [345, 155] } as const

/**
 * Returns the files of a tar archive as `git archive`, GitHub, GNU tar and bsdtar write it: ustar, with long names of pax or GNU.
 * @throws Error for a cut archive, and for links.
 */
export function readTar(archive: Buffer): Map<string, TreeFile> {
  const files = new Map<string, TreeFile>()
  let longName: string | undefined
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0;) {
    const header = headerOf(archive.subarray(at, at + BLOCK))
    const content = archive.subarray(at + BLOCK, at + BLOCK + header.size)
    if (!Number.isInteger(header.size) || content.length < header.size) throw new Error('The archive is cut off or damaged: fetch it again')
    at += BLOCK + Math.ceil(header.size / BLOCK) * BLOCK
    if (header.type === 'L') longName = textAt(content, 0, header.size)
    else if (header.type === 'x') longName = paxPath(content) ?? longName
    else if (header.type !== 'g') {
      const name = longName ?? header.name
      longName = undefined
      if (header.type === '0') files.set(name, { content: Buffer.from(content), executable: header.executable })
      else if (header.type !== '5') throw new Error(`The archive holds ${name}, which is neither a file nor a folder: a version has no links`)
    }
  }
  return files
}

function headerOf(block: Buffer) {
  const field = (name: keyof typeof FIELDS) => textAt(block, FIELDS[name][0], FIELDS[name][1])
  // GNU has times where ustar has the beginning of a long name.
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? field('prefix') : ''
  return {
    name: prefix === '' ? field('name') : `${prefix}/${field('name')}`,
    size: Number.parseInt(field('size').trim() || '0', 8),
    type: field('type') || '0',
    executable: (Number.parseInt(field('mode'), 8) & 0o100) !== 0,
  }
}

function textAt(bytes: Buffer, start: number, length: number): string {
  const [text = ''] = bytes.toString('utf8', start, start + length).split('\0')
  return text
}

/** Of records `<length> <key>=<value>\n`. */
function paxPath(records: Buffer): string | undefined {
  for (let at = 0; at < records.length;) {
    const length = Number.parseInt(records.toString('latin1', at, at + 20), 10)
    if (!(length > 0)) break
    const [, value] = /^\d+ path=(.*)\n$/s.exec(records.toString('utf8', at, at + length)) ?? []
    if (value !== undefined) return value
    at += length
  }
  return undefined
}
