/** What a migration may do: run statements on the one connection that holds the lock. */
export interface MigrationContext {
  readonly query: (text: string, values?: readonly unknown[]) => Promise<unknown>
  /**
   * The schema that the migration works in, quoted. Names without a schema mean this one while the migration runs; in the body
   * of a function, which runs later under another search path, write it out.
   */
  readonly schema: string
}

/** One step of the schema. There is no way down: going back is another migration. */
export interface Migration {
  /** Sorts by its date; never renamed once it has run anywhere. */
  name: string
  /** `false` for what cannot run in a transaction, such as `CREATE INDEX CONCURRENTLY`. */
  transaction?: boolean
  /**
   * The functions that are deployed now, which serve while it runs, cannot work with what it leaves: it drops, renames or
   * changes what they use, or asks for values that they do not write. Applied only when that is allowed.
   */
  breaking?: true
  /**
   * Tables of the schema that may exist before and then become ours, such as those of an application that had no migrations. The
   * migration creates them with IF NOT EXISTS; whether their columns are the same is not looked at.
   */
  adopts?: readonly string[]
  /** Sends statements and does nothing else: it is also run against nothing, to tell later whether it was changed. */
  up(context: MigrationContext): Promise<void>
}
