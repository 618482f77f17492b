import { asLines } from '../../../../functions-runtime/src/foreign-text.ts'
import { asFields, asTable, type Cell } from '../table.ts'

/** What `manageWebhooks` answers. */
export type Answer = Readonly<Record<string, unknown>>

type Row = Readonly<Record<string, unknown>>

// Characters of a line of what a sender sent.
const LONGEST_LINE = 2_000
const BODY_AND_HEADERS = ['body', 'headers']

/** Returns what the inbox answered as a person reads it. */
export function describeAnswer(answer: Answer): string {
  if (Array.isArray(answer.events)) return describeList(answer.events as Row[], answer.buffer as Row | null)
  if (isRow(answer.event)) return describeEvent(answer.event)
  return Object.entries(answer)
    .map(([done, count]) => `${String(cellOf(count))} ${done}\n`)
    .join('')
}

function describeList(events: readonly Row[], buffer: Row | null): string {
  const list =
    events.length === 0
      ? 'No event\n'
      : asTable(
          events.map(one => ({
            id: cellOf(one.id),
            source: cellOf(one.source),
            'event id': cellOf(one.externalId),
            type: cellOf(one.type),
            state: cellOf(one.state),
            received: cellOf(one.receivedAt),
            attempts: cellOf(one.attempts),
            'next attempt': cellOf(one.nextAttemptAt),
            'last error': [cellOf(one.lastError), ...pathsOf(one.invalidPaths)].filter(Boolean).join(' '),
          })),
        )
  return list + describeBuffer(buffer)
}

function describeBuffer(buffer: Row | null): string {
  if (buffer === null) return ''
  const { entries, ...stand } = buffer
  const parked = Array.isArray(entries) && entries.length > 0 ? `\n${asTable((entries as Row[]).map(parkedEntry))}` : ''
  return `\noutage buffer\n${asFields(rowOf(stand))}${parked}`
}

// What could not be read of an entry is missing in it.
function parkedEntry({ entry, code, bufferedAt, source, eventId, type }: Row): Record<string, Cell> {
  return {
    entry: cellOf(entry),
    code: cellOf(code),
    buffered: cellOf(bufferedAt),
    source: cellOf(source),
    'event id': cellOf(eventId),
    type: cellOf(type),
  }
}

function describeEvent(event: Row): string {
  const fields = Object.entries(event).filter(([name]) => !BODY_AND_HEADERS.includes(name))
  const headers = isRow(event.headers) && Object.keys(event.headers).length > 0 ? `\nheaders\n${asFields(rowOf(event.headers))}` : ''
  const body = typeof event.body === 'string' ? `\nbody\n${asLines(event.body, { maxLength: LONGEST_LINE })}\n` : ''
  return asFields(rowOf(Object.fromEntries(fields))) + headers + body
}

function rowOf(row: unknown): Record<string, Cell> {
  return isRow(row) ? Object.fromEntries(Object.entries(row).map(([name, value]) => [name, cellOf(value)])) : {}
}

function cellOf(value: unknown): Cell {
  if (value === null || value === undefined || value instanceof Date) return value
  return typeof value === 'object' ? JSON.stringify(value) : (value as Cell)
}

function pathsOf(paths: unknown): string[] {
  return Array.isArray(paths) ? paths.map(path => JSON.stringify(path)) : []
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
