import ts from 'typescript'

export interface WithoutImports {
  readonly text: string
  /** Uses of what was imported that are no entry of a list, by the name that the file gives it. */
  readonly usedElsewhere: readonly { readonly name: string; readonly line: number }[]
}

/**
 * Takes imports out of a TypeScript file, with the entries of lists that use what they import: elements of arrays and properties
 * of objects. A whole entry goes, the outermost one.
 */
export function removeImports(text: string, isRemoved: (specifier: string) => boolean): WithoutImports {
  const file = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true)
  const leadsThere = (specifier: ts.Node | undefined) => specifier !== undefined && ts.isStringLiteral(specifier) && isRemoved(specifier.text)
  const removed = file.statements.filter(
    statement => (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) && leadsThere(statement.moduleSpecifier),
  )
  const names = new Set(removed.filter(ts.isImportDeclaration).flatMap(namesOf))
  const lineOf = (node: ts.Node) => file.getLineAndCharacterOfPosition(node.getStart()).line + 1
  const gone: ts.Node[] = [...removed]
  const usedElsewhere: { name: string; line: number }[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return
    if (ts.isIdentifier(node) && names.has(node.text) && !isNameOfProperty(node)) {
      const entry = outermostEntry(node)
      if (entry === undefined) usedElsewhere.push({ name: node.text, line: lineOf(node) })
      else gone.push(entry)
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword && leadsThere(node.arguments[0])) {
      usedElsewhere.push({ name: 'a file', line: lineOf(node) })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return { text: withoutRanges(text, rangesOf(text, gone)), usedElsewhere }
}

function namesOf({ importClause }: ts.ImportDeclaration): string[] {
  const { name, namedBindings } = importClause ?? {}
  const named = namedBindings === undefined ? [] : ts.isNamespaceImport(namedBindings) ? [namedBindings] : namedBindings.elements
  return [...(name === undefined ? [] : [name.text]), ...named.map(binding => binding.name.text)]
}

function isNameOfProperty(node: ts.Identifier): boolean {
  const { parent } = node
  return (ts.isPropertyAccessExpression(parent) && parent.name === node) || (ts.isPropertyAssignment(parent) && parent.name === node)
}

/** The entry of the outermost list around a node, as far as its function goes. */
function outermostEntry(node: ts.Node): ts.Node | undefined {
  let entry: ts.Node | undefined
  for (let current = node; current.parent !== undefined && !ts.isFunctionLike(current); current = current.parent) {
    const { parent } = current
    if (ts.isArrayLiteralExpression(parent) || (ts.isObjectLiteralExpression(parent) && ts.isObjectLiteralElementLike(current))) entry = current
  }
  return entry
}

/** Each node with the comma and the end of line behind it, and the line of a comment before it. */
function rangesOf(text: string, nodes: readonly ts.Node[]): (readonly [start: number, end: number])[] {
  return nodes
    .map(node => {
      const [comment] = ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []
      const start = comment !== undefined && ts.isObjectLiteralElementLike(node) ? comment.pos : node.getStart()
      const [behind = ''] = /^,?[^\S\n]*\n?/.exec(text.slice(node.end)) ?? []
      return [start, node.end + behind.length] as const
    })
    .sort(([one], [other]) => one - other)
}

function withoutRanges(text: string, ranges: readonly (readonly [number, number])[]): string {
  let result = ''
  let at = 0
  for (const [start, end] of ranges) {
    if (start < at) continue
    result += text.slice(at, start)
    at = end
  }
  return result + text.slice(at)
}
