import { diff3Merge, diffComm } from 'node-diff3'

export interface MergedText {
  readonly text: string
  /** Places that need a decision, each marked in the text. */
  readonly conflicts: number
}

export interface TextMerge {
  /** Undefined when it is unknown: then each difference is a conflict. */
  readonly base: string | undefined
  readonly ours: string
  readonly theirs: string
  /** Whether what both sides add at one place is kept, ours first. */
  readonly isList: boolean
  /** Whether lines are lists of words: then two lines that differ are merged word by word, as far as that goes. */
  readonly hasWordLists: boolean
  /** What the new version is called in a mark. */
  readonly version: string
}

type Region = { readonly agreed: string[] } | { readonly base: string[] | undefined; readonly ours: string[]; readonly theirs: string[] }

/** How a mark begins; the rest of its line says whose lines follow. */
export const OURS_MARK = '<<<<<<< yours'

/** Merges two texts line by line, against the one that both come from. */
export function mergeText({ base, ours, theirs, isList, hasWordLists, version }: TextMerge): MergedText {
  const regions = base === undefined ? differences(linesOf(ours), linesOf(theirs)) : threeWay(linesOf(base), linesOf(ours), linesOf(theirs))
  let conflicts = 0
  const lines = regions.flatMap(region => {
    if ('agreed' in region) return region.agreed
    if (isList && isAddition(region)) return [...region.ours, ...region.theirs]
    const lines = hasWordLists ? mergeWords(region) : undefined
    if (lines !== undefined) return lines
    conflicts += 1
    return [OURS_MARK, ...region.ours, '=======', ...region.theirs, `>>>>>>> version ${version}`]
  })
  return { text: lines.join('\n'), conflicts }
}

// What follows the last line end is a line, too: an empty one as a rule.
function linesOf(text: string): string[] {
  return text.split('\n')
}

function threeWay(base: string[], ours: string[], theirs: string[]): Region[] {
  return diff3Merge(ours, base, theirs, { excludeFalseConflicts: true }).map(({ ok, conflict }) =>
    conflict === undefined ? { agreed: ok ?? [] } : { base: conflict.o, ours: conflict.a, theirs: conflict.b },
  )
}

function differences(ours: string[], theirs: string[]): Region[] {
  return diffComm(ours, theirs).map(({ common, buffer1, buffer2 }) =>
    common === undefined ? { base: undefined, ours: buffer1, theirs: buffer2 } : { agreed: common },
  )
}

function isAddition({ base, ours, theirs }: Exclude<Region, { agreed: unknown }>): boolean {
  return base === undefined ? ours.length === 0 || theirs.length === 0 : base.length === 0
}

/** The lines with the words that either side added; undefined unless each line has its counterparts and no word is changed twice. */
function mergeWords({ base, ours, theirs }: Exclude<Region, { agreed: unknown }>): string[] | undefined {
  if (base === undefined || base.length !== ours.length || base.length !== theirs.length) return undefined
  const lines = base.map((line, index) => {
    const regions = threeWay(wordsOf(line), wordsOf(ours[index]), wordsOf(theirs[index]))
    const words = regions.map(region => ('agreed' in region ? region.agreed : isAddition(region) ? [...region.ours, ...region.theirs] : undefined))
    return words.includes(undefined) ? undefined : words.flat().join('')
  })
  return lines.every(line => line !== undefined) ? lines : undefined
}

function wordsOf(line = ''): string[] {
  return line.split(/(?<=[\s()])|(?=[\s()])/)
}
