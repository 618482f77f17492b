import { type WireMessage } from '../proxy/wire.ts'
import { type Finding } from './engine.ts'
import { type NumberedPoint } from './points.ts'
import { type Part } from './record.ts'
import { type Totals } from './tally.ts'

const LONGEST_STATEMENT = 90
const LONGEST_LOG_LINE = 300
const LOG_LINES = 8

/** Returns a line about what is cut. */
export function describePart({ operation, way, messages, points }: Part): string {
  return `${operation.name}, ${way}: ${messages.length} messages, ${points.length} cut points`
}

/** Returns the last line: how many cut points are proven, and what was found. */
export function describeTotals({ proven, points, unreached, problems }: Totals): string {
  const others = Object.entries({ left: problems.left, wrong: problems.wrong, 'not reached': unreached })
  const more = others.filter(([, count]) => count > 0).map(([kind, count]) => `, ${count} ${kind}`)
  return `${proven} of ${points} cut points: ${problems.lost} lost, ${problems.twice} twice, ${problems.hung} hung${more.join('')}`
}

/** Returns a line about the sessions that no time limit of the server ended. */
export function describeEndedByTcp({ endedByTcp }: Totals): string {
  return `${endedByTcp} runs: the server waited for the rest of a flight, which no time limit ends; only its TCP does, as tcp_keepalives_idle says`
}

/** Returns everything about a run that failed: what is wrong, what happened, and the recording with the cut marked. */
export function describeFailure({ part, point, fault, reached, problems, history, output }: Finding): string {
  const { operation, way, messages } = part
  const wrong = reached ? problems.map(({ kind, text }) => `  ${kind}: ${text}`) : ['  the run did not come to its cut point']
  const events = history.events.map(({ at, event, ...rest }) => `  ${String(at).padStart(6)} ms  ${event} ${wordsOf(rest)}`)
  return [
    `${operation.name}, ${way}, cut point ${point.number}, ${fault}`,
    ...wrong,
    ...events,
    `  in the database: ${JSON.stringify(history.rows)}`,
    ...(output === '' ? [] : ['  the function logged at last:', ...lastLines(output)]),
    ...markCut(messages, point),
    `  again: npm run prove -- --only '${operation.name}' --through ${way} --points ${point.number} --faults '${fault}'`,
  ].join('\n')
}

function lastLines(output: string): string[] {
  const lines = output.trimEnd().split('\n').slice(-LOG_LINES)
  return lines.map(line => `  ${line.slice(0, LONGEST_LOG_LINE)}`)
}

/** Returns a recording, line by line, with a mark where it is cut. */
export function markCut(messages: readonly WireMessage[], point: NumberedPoint): string[] {
  const width = String(messages.length).length
  return messages.flatMap(({ connection, from, message, type, bytes, statement }, index) => {
    const text = statement === undefined ? '' : `  ${statement.replaceAll(/\s+/g, ' ').trim().slice(0, LONGEST_STATEMENT)}`
    const line = `  ${String(index + 1).padStart(width)}  ${connection} ${from}  ${type}, ${bytes} bytes${text}`
    if (connection !== point.connection || from !== point.from || message !== point.message) return [line]
    const mark = `  ${'-'.repeat(width)}> the cut: ${point.inside ? 'after the first half of this message' : 'before this message'}`
    return [mark, line]
  })
}

/** Returns a time such as `3 min 20 s`. */
export function describeMs(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

function wordsOf(fields: Readonly<Record<string, unknown>>): string {
  const { id: _id, ...shown } = fields
  return Object.entries(shown)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join(', ')
}
