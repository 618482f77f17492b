import { mergeJson, isSameJson } from './merge-json.ts'
import { mergeText } from './merge-text.ts'
import { isSame, textOf, type TreeFile } from './tree.ts'
import { commandIn, withWrittenPartOf } from './written.ts'

/** What an upgrade makes of a file. */
export type Decision =
  /** Stays as it is: the new version changes nothing in it. */
  | { readonly outcome: 'kept' }
  | { readonly outcome: 'added' | 'updated'; readonly file: TreeFile }
  /** Both sides changed it, in different places. */
  | { readonly outcome: 'merged'; readonly file: TreeFile; readonly notes: readonly string[] }
  | { readonly outcome: 'deleted' }
  /** Was deleted here, and stays so, although the new version changed it. */
  | { readonly outcome: 'absent' }
  /** A file of the framework that was changed here, and not by the new version. */
  | { readonly outcome: 'edited' }
  /** Both sides changed it, and a command writes it: it is that of `file`, or stays, until the command runs. */
  | { readonly outcome: 'written'; readonly command: string; readonly file?: TreeFile }
  /** Needs a decision. `file` is what is written, with marks or with ours; without one ours stays. */
  | { readonly outcome: 'conflict'; readonly reason: string; readonly file?: TreeFile }

/** The same file in the recorded version, here, and in the new version; undefined where there is none. */
export interface Versions {
  readonly base: TreeFile | undefined
  readonly ours: TreeFile | undefined
  readonly theirs: TreeFile | undefined
}

export interface FileToDecide extends Versions {
  readonly path: string
  /** Whether the recorded version has the file. Its content may still be unknown. */
  readonly isRecorded: boolean
  /** Whether ours is as the recorded version has it. */
  readonly isUnchangedHere: boolean
  /** Whether theirs is as the recorded version has it. */
  readonly isUnchangedThere: boolean
  readonly isOfFramework: boolean
  /** Lines of the file that are entries of a list. */
  readonly entries: RegExp | undefined
  /** Which command writes the file, by the record. */
  readonly command: string | undefined
  readonly version: string
}

/** Decides about one file. */
export function decide(file: FileToDecide): Decision {
  const { ours, theirs, isUnchangedHere, isUnchangedThere } = file
  if (isSame(ours, theirs)) return withMode(file)
  if (isUnchangedHere && theirs === undefined) return { outcome: 'deleted' }
  if (isUnchangedHere && theirs !== undefined)
    return { outcome: ours === undefined ? 'added' : 'updated', file: { content: withLineEnds(theirs.content, file), executable: modeOf(file) } }
  if (isUnchangedThere) return { outcome: file.isOfFramework && ours !== undefined ? 'edited' : 'kept' }
  return decideBoth(file)
}

function decideBoth(file: FileToDecide): Decision {
  const { base, ours, theirs } = file
  if (ours === undefined) return { outcome: 'absent' }
  const command = commandIn(theirs) ?? file.command ?? (theirs === undefined ? commandIn(ours) : undefined)
  if (command !== undefined) {
    // A hand-written file makes room for one that the command keeps up to date.
    const makesRoom = theirs !== undefined && commandIn(theirs) !== undefined && commandIn(ours) === undefined
    return { outcome: 'written', command, ...(makesRoom ? { file: { ...theirs, content: withLineEnds(theirs.content, file) } } : {}) }
  }
  if (theirs === undefined) return { outcome: 'conflict', reason: 'changed here, and deleted by the new version: it stays' }
  const [before, mine, next] = [textOf(base), textOf(ours), textOf(theirs)]
  if (mine === undefined || next === undefined) return { outcome: 'conflict', reason: 'both changed it, and it is no text: yours stays' }
  const [known, own] = [before && withWrittenPartOf(before, next), withWrittenPartOf(mine, next)]
  const { text, reason, notes } = mergeTexts(file, known, own, next)
  const merged = { content: withLineEnds(Buffer.from(text), file), executable: modeOf(file) }
  if (reason !== undefined) return { outcome: 'conflict', reason, file: merged }
  if (file.isOfFramework) return { outcome: 'conflict', reason: 'an edit in a file of the framework, merged: check it', file: merged }
  return { outcome: 'merged', file: merged, notes }
}

interface Merged {
  readonly text: string
  /** What needs a decision, if anything does. */
  readonly reason?: string
  readonly notes: readonly string[]
}

function mergeTexts({ path, isRecorded, entries, version }: FileToDecide, base: string | undefined, ours: string, theirs: string): Merged {
  const merged = mergeText({ base, ours, theirs, entries, version })
  const json = path.endsWith('.json') ? mergeJson(base, ours, theirs) : undefined
  if (json !== undefined) {
    const notes = json.absent.map(entry => `${path}: ${entry} was removed here, and changed by the new version; it stays away`)
    // The layout of a text that means the same is the better one.
    const text = merged.conflicts === 0 && isSameJson(merged.text, json.text) ? merged.text : json.text
    return json.conflicts.length === 0 ? { text, notes } : { text: json.text, notes, reason: `yours stays: ${json.conflicts.join('; ')}` }
  }
  if (merged.conflicts === 0) return { text: merged.text, notes: [] }
  const places = `${merged.conflicts} ${merged.conflicts === 1 ? 'place is' : 'places are'} marked`
  const why = isRecorded ? '; the text of the recorded version is unknown, see --base' : '; both added it'
  return { text: merged.text, notes: [], reason: `${places}${base === undefined ? why : ''}` }
}

function withMode(file: FileToDecide): Decision {
  const { ours } = file
  const executable = modeOf(file)
  if (ours === undefined || executable === undefined || executable === (ours.executable ?? executable)) return { outcome: 'kept' }
  return { outcome: 'updated', file: { content: ours.content, executable } }
}

/** Of a new file without a known mode, its first line decides. */
function modeOf({ base, ours, theirs }: Versions): boolean | undefined {
  const next = theirs?.executable
  if (ours === undefined) return next ?? theirs?.content.subarray(0, 2).toString() === '#!'
  return next === undefined || (base !== undefined && ours.executable !== base.executable) ? ours.executable : next
}

/** A checkout with CRLF keeps it, in files that the framework has with LF. */
function withLineEnds(content: Buffer, { base, ours, theirs }: Versions): Buffer {
  const isCrlf = (file: TreeFile | undefined) => file?.content.includes('\r\n') ?? false
  if (!isCrlf(ours) || isCrlf(base) || textOf(ours) === undefined) return content
  const text = content.toString('utf8').replaceAll('\r\n', '\n')
  return textOf(theirs) === undefined ? content : Buffer.from(text.replaceAll('\n', '\r\n'))
}
