import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

interface Message {
  id?: number
  method?: string
  params?: unknown
  result?: unknown
}

/** A mark that the editor shows: 1-based line and column of where it begins. */
export interface Mark {
  line: number
  column: number
  message: string
}

/** The settings of an editor that asks nobody on the network for schemas. */
const SETTINGS = { yaml: { schemaStore: { enable: false }, validate: true, completion: true, hover: true } }

const PROGRAM = join(import.meta.dirname, '../../../../node_modules/yaml-language-server/bin/yaml-language-server')

/** The YAML language server as an editor starts it: a process that speaks over its standard input and output. */
export function startLanguageServer(workspace: string) {
  const server: ChildProcess = spawn(process.execPath, [PROGRAM, '--stdio'], { stdio: ['pipe', 'pipe', 'ignore'] })
  const answers = new Map<number, (result: unknown) => void>()
  const diagnostics = new Map<string, (marks: Mark[]) => void>()
  let lastId = 0
  let received = Buffer.alloc(0)

  function send(message: Message) {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message })
    server.stdin?.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
  function request(method: string, params: unknown): Promise<unknown> {
    lastId += 1
    const id = lastId
    return new Promise(resolve => {
      answers.set(id, resolve)
      send({ id, method, params })
    })
  }
  function handle({ id, method, params, result }: Message) {
    if (method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics: found } = params as { uri: string; diagnostics: { range: { start: Position }; message: string }[] }
      diagnostics.get(uri)?.(found.map(({ range, message }) => ({ line: range.start.line + 1, column: range.start.character + 1, message })))
    } else if (method === 'workspace/configuration' && id !== undefined) {
      const { items } = params as { items: { section?: string }[] }
      send({ id, result: items.map(({ section }) => (section === 'yaml' ? SETTINGS.yaml : null)) })
    } else if (method !== undefined && id !== undefined) send({ id, result: null })
    else if (id !== undefined) answers.get(id)?.(result)
  }
  server.stdout?.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    for (;;) {
      const header = /Content-Length: (\d+)\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(received.toString('latin1'))
      const start = header ? header.index + header[0].length : 0
      const end = start + Number(header?.[1])
      if (!header || received.length < end) return
      const message = JSON.parse(received.subarray(start, end).toString()) as Message
      received = received.subarray(end)
      handle(message)
    }
  })

  const root = pathToFileURL(workspace).href
  const uriOf = (name: string) => `${root}/${name}`
  const ready = request('initialize', {
    processId: process.pid,
    rootUri: root,
    workspaceFolders: [{ uri: root, name: 'workspace' }],
    capabilities: { workspace: { configuration: true, workspaceFolders: true }, textDocument: { completion: {}, hover: {} } },
  }).then(() => {
    send({ method: 'initialized', params: {} })
    send({ method: 'workspace/didChangeConfiguration', params: { settings: SETTINGS } })
  })

  return {
    /** Opens a text under a name of the workspace and waits for what the server marks in it. */
    async marksOf(name: string, text: string): Promise<Mark[]> {
      await ready
      const uri = uriOf(name)
      const marks = new Promise<Mark[]>(resolve => diagnostics.set(uri, resolve))
      send({ method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'yaml', version: 1, text } } })
      return marks
    },
    /** What the server offers to write at a place of a text that was opened. */
    async completionsAt(name: string, line: number, column: number): Promise<string[]> {
      const answer = await request('textDocument/completion', {
        textDocument: { uri: uriOf(name) },
        position: { line: line - 1, character: column - 1 },
      })
      const items = Array.isArray(answer) ? (answer as { label: string }[]) : ((answer as { items?: { label: string }[] } | null)?.items ?? [])
      return items.map(({ label }) => label)
    },
    /** What the server says about the key at a place of a text that was opened. */
    async hoverAt(name: string, line: number, column: number): Promise<string> {
      const answer = await request('textDocument/hover', {
        textDocument: { uri: uriOf(name) },
        position: { line: line - 1, character: column - 1 },
      })
      return JSON.stringify(answer)
    },
    async stop(): Promise<void> {
      const ended = new Promise(resolve => server.once('exit', resolve))
      server.kill()
      await ended
    },
  }
}

interface Position {
  line: number
  character: number
}
