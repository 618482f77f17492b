import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { readArchive } from './archive.ts'
import { readFolder, type Tree } from './tree.ts'

// For one archive of some megabytes.
const DOWNLOAD_MS = 5 * 60_000
const LARGEST_BYTES = 200_000_000

export interface WantedVersion {
  /** A folder, an archive, the URL of an archive, or that of a repository. */
  readonly source: string
  /** The tag in a repository. */
  readonly version: string | undefined
}

/**
 * Returns the files of a version.
 * @throws Error that names the source and what is wrong with it.
 */
export async function openSource({ source, version }: WantedVersion): Promise<Tree> {
  const url = urlOf(source)
  if (url === undefined) return readLocal(source)
  if (isArchive(url)) return archiveAt(url, await download([url]))
  if (version === undefined) throw new Error(`${source} is a repository: name the version, such as --from 1.2.0`)
  return archiveAt(url, await download(tagsOf(version).map(tag => `${url}/archive/refs/tags/${encodeURIComponent(tag)}.tar.gz`)))
}

/** Returns whether a source holds every version, which a repository does. */
export function isRepository(source: string): boolean {
  const url = urlOf(source)
  return url !== undefined && !isArchive(url)
}

/** Returns the repository that a package.json names, or undefined. */
export function repositoryIn(manifest: string | undefined): string | undefined {
  const { repository } = JSON.parse(manifest ?? '{}') as { repository?: string | { url?: string } }
  const url = typeof repository === 'string' ? repository : repository?.url
  return url !== undefined && /^[\w.-]+\/[\w.-]+$/.test(url) ? `https://github.com/${url}` : url
}

/** Returns the URL of a source without what git adds to it, or undefined for a path. */
function urlOf(source: string): string | undefined {
  const url = source
    .replace(/^git\+/, '')
    .replace(/^github:/, 'https://github.com/')
    .replace(/^(?:ssh:\/\/)?git@([^:/]+)[:/]/, 'https://$1/')
    .replace(/^git:\/\//, 'https://')
    .replace(/(?:\.git)?\/?$/, '')
  if (!/^https?:\/\//.test(url)) return undefined
  const { protocol, hostname } = new URL(url)
  // What comes over http could be replaced on its way, and is run.
  if (protocol === 'http:' && !['localhost', '127.0.0.1', '[::1]'].includes(hostname))
    throw new Error(`${source} is not encrypted: give its https URL`)
  return url
}

function isArchive(url: string): boolean {
  return /\.(?:tar\.gz|tgz|zip)$/.test(new URL(url).pathname)
}

/** Version 1.2.0 may have the tag 1.2.0 or v1.2.0. */
function tagsOf(version: string): string[] {
  return [version, version.startsWith('v') ? version.slice(1) : `v${version}`]
}

async function download(urls: readonly string[]): Promise<Buffer> {
  for (const url of urls) {
    const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_MS) }).catch((cause: unknown) => {
      throw new Error(`${url} cannot be reached (${reasonOf(cause)}): download the archive, and give its path as --source`, { cause })
    })
    if (response.ok) return readBody(url, response)
    await response.body?.cancel()
    if (response.status !== 404) throw new Error(`${url} answers ${response.status}: download the archive, and give its path as --source`)
  }
  throw new Error(
    `There is no ${urls.join(' and no ')}: look for the version's name. For a private repository, give the path of the archive as --source`,
  )
}

async function readBody(url: string, response: Response): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    parts.push(part)
    length += part.length
    if (length > LARGEST_BYTES) throw new Error(`${url} is larger than ${LARGEST_BYTES / 1_000_000} MB: it is no version of the framework`)
  }
  return Buffer.concat(parts)
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error
  const { code } = (cause ?? {}) as { code?: string }
  return code ?? message
}

function readLocal(source: string): Tree {
  const path = resolve(source)
  if (!existsSync(path)) throw new Error(`There is no ${path}: --source takes a folder, a .tar.gz, a .zip, or an https URL`)
  return statSync(path).isDirectory() ? readFolder(path) : archiveAt(path, readFileSync(path))
}

function archiveAt(place: string, bytes: Buffer): Tree {
  try {
    return readArchive(bytes)
  } catch (cause) {
    throw new Error(`${place} cannot be read. ${(cause as Error).message}`, { cause })
  }
}
