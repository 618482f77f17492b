/** What a reader of an error has to change, in the words of what that reader uses: options of `migrate`, or settings. */
export interface Cures {
  /** Names the schema of the tables. */
  readonly schema: string
  /** Leads to the server itself. */
  readonly address: string
}

/** Of those who call `migrate`. */
export const OF_OPTIONS: Cures = {
  schema: 'pass its name as `schema`, in migrate({ schema }) and wherever else these tables are used',
  address: 'pass migrate an instance that has the address of the server itself',
}
