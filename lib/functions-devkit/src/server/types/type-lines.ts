const MISTAKE = /^(.+?)\((\d+),\d+\): error (TS\d+: .*)$/
const GENERAL = /^error (TS\d+: .*)$/
const ROUND_ENDED = /Found \d+ errors?\. Watching for file changes\.$/

/**
 * Makes what reads the output of `tsc --watch --pretty false` line by line, and prints each round's mistakes when they are others
 * than those of the round before, as `file:line: error TS…`; and once that there are none any more.
 */
export function createTypeReader(print: (text: string) => void): (line: string) => void {
  let round: string[] = []
  let last = ''
  return line => {
    const mistake = MISTAKE.exec(line)
    const general = GENERAL.exec(line)
    if (mistake !== null) round.push(`${mistake[1]}:${mistake[2]}: error ${mistake[3]}`)
    else if (general !== null) round.push(`tsconfig.json: error ${general[1]}`)
    // The rest of a message of several lines.
    else if (/^\s+\S/.test(line) && round.length > 0) round.push(line)
    else if (ROUND_ENDED.test(line)) {
      const text = round.join('\n')
      round = []
      if (text === last) return
      last = text
      print(text === '' ? 'types: no errors' : text)
    }
  }
}
