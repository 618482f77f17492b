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
  /** Lines that are entries of a list: those that both sides add at one place are kept, ours first. */
  readonly entries: RegExp | undefined
  /** What the new version is called in a mark. */
  readonly version: string
}

type Region = { readonly agreed: string[] } | { readonly base: string[] | undefined; readonly ours: string[]; readonly theirs: string[] }

/** How a mark begins; the rest of its line says whose lines follow. */
export const OURS_MARK = '<<<<<<< yours'

/** Merges two texts line by line, against the one that both come from. */
export function mergeText({ base, ours, theirs, entries, version }: TextMerge): MergedText {
  const regions = base === undefined ? differences(linesOf(ours), linesOf(theirs)) : threeWay(linesOf(base), linesOf(ours), linesOf(theirs))
  let conflicts = 0
  const lines = regions.flatMap(region => {
    if ('agreed' in region) return region.agreed
    if (entries !== undefined && isAddition(region, entries)) return [...region.ours, ...region.theirs]
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

function isAddition({ base, ours, theirs }: Exclude<Region, { agreed: unknown }>, entries: RegExp): boolean {
  return base?.length === 0 && [...ours, ...theirs].every(line => entries.test(line))
}
