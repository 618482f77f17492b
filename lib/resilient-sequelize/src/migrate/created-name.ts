export type NameKind = 'table' | 'view' | 'sequence' | 'index' | 'type' | 'function' | 'constraint' | 'schema' | 'extension' | 'role'

/** A name that a statement takes. */
export interface CreatedName {
  readonly kind: NameKind
  /** As the statement says; none for a name that is in no schema, or that the search path places. */
  readonly schema?: string | undefined
  readonly name: string
  /** The table that an index or a constraint is of. */
  readonly table?: string
}
