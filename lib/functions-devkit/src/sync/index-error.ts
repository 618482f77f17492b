/** Why an index cannot be written: a file beside it that does not export what it should. */
export class IndexError extends Error {
  override readonly name = 'IndexError'
  readonly file: string
  /** Reads on after the file's name, without a full stop. */
  readonly reason: string
  readonly fix: string

  constructor({ file, reason, fix }: { readonly file: string; readonly reason: string; readonly fix: string }) {
    super(`${file}: ${reason}. ${fix}.`)
    this.file = file
    this.reason = reason
    this.fix = fix
  }
}
