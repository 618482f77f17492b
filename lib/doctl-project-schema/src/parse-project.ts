import { pathText } from './path-text.ts'
import { issueOf, type Issue } from './issue.ts'
import { ProjectFileError } from './project-file-error.ts'
import { SCHEMA_WORDS, schemaIssues } from './schema-issues.ts'
import { type Project, projectSchema } from './schema/project.ts'
import { type Position, positionAt } from './source/position.ts'
import {
  type Environment,
  findReferences,
  isSettableName,
  originalOffset,
  type Reference,
  referenceAt,
  substitute,
  type Substituted,
} from './source/substitution.ts'
import { readYaml } from './source/yaml-document.ts'
import { type YamlPath } from './source/yaml-node.ts'

/** Names of variables longer than this are a bracket that was closed far too late. */
const LONGEST_SHOWN_NAME = 60

export interface ParseOptions {
  /** What the message calls the file; `project.yml` by default. */
  fileName?: string
}

/** A checked project file that still knows where its keys stand. */
export interface ProjectFile {
  fileName: string
  project: Project
  /** Where a key or item stands, or the nearest one around it; nothing when that is not certain. */
  locate: (path: YamlPath) => Position | undefined
  /** A path in words: `packages[0].functions[1].web`. */
  nameOf: (path: YamlPath) => string
}

/** Reads a project file as the deployer does; throws a ProjectFileError with all issues of the first step that finds any. */
export function parseProject(text: string, env: Environment, options: ParseOptions = {}): Project {
  return readProjectFile(text, env, options).project
}

/**
 * Reads a project file as the deployer does, substitution first, and checks it against the schema.
 * Throws a ProjectFileError with all issues of the first step that finds any: substitution, YAML, schema.
 */
export function readProjectFile(text: string, env: Environment, { fileName = 'project.yml' }: ParseOptions = {}): ProjectFile {
  const refuseAll = (issues: readonly Issue[]) => new ProjectFileError(fileName, issues)

  const { references, unclosedAt } = findReferences(text)
  const substituted = substitute(text, references, env)
  const unsubstituted = substitutionIssues(text, references, substituted, unclosedAt)
  if (unsubstituted.length > 0) throw refuseAll(unsubstituted)

  const place = (offset: number | undefined) => ({
    position: offset === undefined ? undefined : positionAt(text, originalOffset(substituted, offset)),
  })

  const tab = substituted.text.indexOf('\t')
  if (tab >= 0) {
    const source = referenceAt(substituted, tab)
    throw refuseAll([source ? issueOf('tab-in-value', '', { detail: source.names.join(' '), ...place(tab) }) : issueOf('tab', '', place(tab))])
  }

  const document = readYaml(substituted.text)
  if (document.outcome === 'refused') {
    throw refuseAll([issueOf(document.code, '', { detail: document.detail ?? '', ...place(document.offset) })])
  }
  if (!document.value) throw refuseAll([issueOf('empty-file', '')])

  const { outline } = document
  const nameOf = (path: YamlPath) => pathText(path, text, SCHEMA_WORDS)
  const parsed = projectSchema.safeParse(document.value)
  if (parsed.success) return { fileName, project: parsed.data, nameOf, locate: path => place(outline.locate(path)).position }
  const issues = schemaIssues(parsed.error.issues).map(({ path, code, detail }) =>
    issueOf(code, nameOf(path), { detail, ...place(outline.locate(path)) }),
  )
  throw refuseAll(issues.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0)))
}

function substitutionIssues(text: string, references: readonly Reference[], { unresolved }: Substituted, unclosedAt: number | undefined): Issue[] {
  const issues: Issue[] = []
  const named = new Set<string>()
  for (const { name, offset } of unresolved) {
    if (named.has(name)) continue
    named.add(name)
    issues.push(
      issueOf(isSettableName(name) ? 'unresolved-variable' : 'reference-name', '', { detail: shown(name), position: positionAt(text, offset) }),
    )
  }
  for (const { kind, start } of references) {
    if (kind === 'file') issues.push(issueOf('file-substitution', '', { position: positionAt(text, start) }))
  }
  if (unclosedAt !== undefined) issues.push(issueOf('unclosed-substitution', '', { position: positionAt(text, unclosedAt) }))
  return issues
}

function shown(name: string): string {
  if (name === '') return '(no name)'
  return name.length > LONGEST_SHOWN_NAME ? `${name.slice(0, LONGEST_SHOWN_NAME)}…` : name
}
