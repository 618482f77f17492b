import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { fileURLToPath } from 'node:url'

type Parameters = Readonly<Record<string, unknown>>
interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Parameters
  readonly result?: Parameters
}

/** A debugger that is attached to a process, as an editor is. */
export interface Debugger {
  /** Sets a breakpoint at a line of a source, which is found by the source map of a script. */
  breakAt(source: string, line: number): Promise<void>
  /** Resolves to the value of an expression where the process next stops, and lets it go on. */
  valueAtStop(expression: string): Promise<unknown>
  detach(): Promise<void>
}

/** Attaches to the inspector of Node on a port of this machine. */
export async function attachDebugger(port: number): Promise<Debugger> {
  const [target] = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as { webSocketDebuggerUrl: string }[]
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '')
  await once(socket, 'open')
  const answers = new Map<number, (result: Parameters) => void>()
  const scripts: { url: string; sourceMapURL: string }[] = []
  const stops: Parameters[] = []
  let stopped = () => {}
  let requests = 0
  socket.addEventListener('message', ({ data }) => {
    const { id, method, params = {}, result = {} } = JSON.parse(String(data)) as Message
    if (id !== undefined) answers.get(id)?.(result)
    if (method === 'Debugger.scriptParsed') scripts.push(params as unknown as (typeof scripts)[number])
    if (method === 'Debugger.paused') stops.push(params)
    stopped()
  })
  const send = (method: string, params: Parameters = {}) =>
    new Promise<Parameters>(resolve => {
      answers.set((requests += 1), resolve)
      socket.send(JSON.stringify({ id: requests, method, params }))
    })
  await send('Debugger.enable')
  await send('Runtime.runIfWaitingForDebugger')

  return {
    async breakAt(source, line) {
      for (const { url, sourceMapURL } of scripts) {
        if (!url.startsWith('file:') || sourceMapURL === '') continue
        const generated = generatedLine(fileURLToPath(new URL(sourceMapURL, url)), source, line)
        if (generated === undefined) continue
        await send('Debugger.setBreakpointByUrl', { url, lineNumber: generated })
        return
      }
      throw new Error(`No script was made of ${source}:${line}`)
    },
    async valueAtStop(expression) {
      while (stops.length === 0) await new Promise<void>(resolve => (stopped = resolve))
      const { callFrames } = stops.shift() as { callFrames: { callFrameId: string }[] }
      const { result } = await send('Debugger.evaluateOnCallFrame', { callFrameId: callFrames[0]?.callFrameId, expression })
      await send('Debugger.resume')
      return (result as { value?: unknown }).value
    },
    async detach() {
      socket.close()
      await once(socket, 'close')
    },
  }
}

/** Returns the line of a script, from 0, that a line of a source, from 1, has become. */
function generatedLine(mapFile: string, source: string, line: number): number | undefined {
  const payload = JSON.parse(readFileSync(mapFile, 'utf8')) as SourceMapPayload
  const map = new SourceMap(payload)
  const lines = payload.mappings.split(';').length
  for (let generated = 0; generated < lines; generated += 1) {
    const entry = map.findEntry(generated, 1_000)
    if ('originalSource' in entry && entry.originalSource.endsWith(source) && entry.originalLine === line - 1 && entry.generatedLine === generated)
      return generated
  }
  return undefined
}
