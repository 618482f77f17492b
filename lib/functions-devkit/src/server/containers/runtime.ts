import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Socket, type AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import { type Hosting } from '../../../../functions-runtime/src/edge/define.ts'
import { fullErrors, mapStacks } from '../errors/full-error.ts'
import { asPlain, isRecord } from '../platform/result.ts'
import { callContext } from './call-context.ts'
import { CONTROL_FD, END_OF_ACTIVATION, THROWN_HEADER, type InitBody, type RunBody, type SelfDescription } from './protocol.ts'

// The program in a container. It catches nothing outside of a call: an error there ends the process, as on the platform.

interface Main extends Partial<Pick<SelfDescription, 'variables' | 'scopes'>> {
  (event: unknown, context: object): unknown
  settingIssues?(): SelfDescription['settingIssues']
  hostedBy?(hosting: Hosting): void
}

interface Reply {
  readonly status: number
  readonly body: unknown
  readonly thrown?: boolean
}

const THIS_MACHINE = '127.0.0.1'
// A function may replace those of the streams.
const writers = [process.stdout, process.stderr].map(stream => stream.write.bind(stream))
// By itself Node holds in memory what its reader has not taken yet: a crash loses that, and the memory limit counts it.
for (const stream of [process.stdout, process.stderr] as { _handle?: { setBlocking?: (on: boolean) => void } }[]) stream._handle?.setBlocking?.(true)

let state: 'new' | 'busy' | 'ready' = 'new'
let main: Main | undefined
let key = ''

const server = createServer({ requestTimeout: 0, headersTimeout: 0 }, (request, response) => void serve(request, response))
const control = new Socket({ fd: CONTROL_FD, readable: true, writable: true })
control.once('data', given => {
  key = given.toString().trim()
  server.listen(0, THIS_MACHINE, () => control.write(`${(server.address() as AddressInfo).port}\n`))
})
// Without its server, nothing would end the process.
control.resume()
control.on('error', () => process.exit())
control.on('close', () => process.exit())

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, body, thrown = false } = await answerTo(request)
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    connection: 'close',
    ...(thrown && { [THROWN_HEADER]: 'true' }),
  })
  response.end(text)
}

async function answerTo(request: IncomingMessage): Promise<Reply> {
  // The port is open to every program of this machine, browsers included.
  if (request.headers.authorization !== key) return refusal(401, 'This container belongs to another program.')
  const body = await bodyOf(request)
  switch (`${request.method} ${request.url}`) {
    case 'POST /init':
      return initialise(body as InitBody)
    case 'POST /run':
      return run(body as RunBody)
    default:
      return refusal(404, 'A container answers POST /init and POST /run.')
  }
}

async function initialise({ value: { entry, env, checkout } }: InitBody): Promise<Reply> {
  if (state !== 'new') return refusal(403, 'Cannot initialize the action more than once.')
  state = 'busy'
  Object.assign(process.env, env)
  // Node reads source maps while it loads.
  if (checkout !== undefined) mapStacks()
  try {
    const loaded = (await import(pathToFileURL(entry).href)) as { main?: unknown }
    if (typeof loaded.main !== 'function') throw new Error("The entry point exports no function 'main'.")
    main = loaded.main as Main
    if (checkout !== undefined) main.hostedBy?.({ errors: fullErrors(checkout) })
    const self: SelfDescription = { variables: main.variables ?? [], settingIssues: main.settingIssues?.() ?? [], scopes: main.scopes ?? [] }
    state = 'ready'
    return { status: 200, body: { OK: true, ...self } }
  } catch (error) {
    markEnd()
    return refusal(502, `Initialization has failed due to: ${error instanceof Error ? error.stack : String(error)}`)
  }
}

async function run({ value, ...variables }: RunBody): Promise<Reply> {
  if (state !== 'ready' || main === undefined) return refusal(403, `System not ready, status is ${state}.`)
  state = 'busy'
  for (const [name, text] of Object.entries(variables)) process.env[`__OW_${name.toUpperCase()}`] = String(text)
  const reply = await call(main, value)
  markEnd()
  state = 'ready'
  return reply
}

async function call(called: Main, event: unknown): Promise<Reply> {
  try {
    const result = await called(event, callContext(process.env))
    if (result !== undefined && !isRecord(result)) return refusal(502, 'The action did not return a dictionary.')
    // What JSON cannot hold is an error of the function's.
    return { status: 200, body: JSON.parse(JSON.stringify(result ?? {})) as unknown }
  } catch (error) {
    return { status: 200, body: { error: asPlain(error) ?? {} }, thrown: true }
  }
}

// Written at once, as everything else: the mark comes after all that was printed so far.
function markEnd(): void {
  for (const write of writers) write(`${END_OF_ACTIVATION}\n`)
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString()) as unknown
}

function refusal(status: number, error: string): Reply {
  return { status, body: { error } }
}
