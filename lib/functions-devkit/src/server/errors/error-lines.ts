import { asLine } from '../../../../functions-runtime/src/foreign-text.ts'
import { type FullError } from './full-error.ts'
import { ownSourceIn } from './own-source.ts'

const LONGEST_TEXT = 2_000
const SERVER_FIELDS = ['near', 'detail', 'hint', 'constraint', 'table', 'column', 'where'] as const

/** Makes what writes an error in full in lines for a terminal: what happened, where in the application's own code, and the statement. */
export function errorLinesIn(checkout: string): (error: FullError) => string[] {
  const ownSource = ownSourceIn(checkout)

  function lines(error: FullError, head = ''): string[] {
    const { type, code, message = '', source, sql, values = [], stack = [], cause, errors = [] } = error
    const own = stack.flatMap(frame => ownSource(frame) ?? []).map(({ file, line }) => `${file}:${line}`)
    const further = [...new Set(own)].filter(place => place !== source)
    return [
      ...textLines(`${head}${type}${code === undefined ? '' : ` ${code}`}: ${message}`),
      ...(source === undefined ? stack.slice(0, 3).flatMap(frame => indented(frame)) : indented(`at ${source}`)),
      ...further.flatMap(place => indented(`   ${place}`)),
      ...(sql === undefined ? [] : indented(`SQL: ${sql}`)),
      ...values.flatMap(value => indented(value)),
      ...SERVER_FIELDS.flatMap(name => (error[name] === undefined ? [] : indented(`${name}: ${error[name]}`))),
      ...errors.flatMap(each => lines(each, 'one of them: ').map(line => `  ${line}`)),
      ...(cause === undefined ? [] : lines(cause, 'caused by ')),
    ]
  }
  return error => lines(error).map(line => `    ${line}`)
}

function textLines(text: string): string[] {
  return text.split('\n').map(line => asLine(line, { maxLength: LONGEST_TEXT }))
}

function indented(text: string): string[] {
  return textLines(text).map(line => `  ${line}`)
}
