import { isDeepStrictEqual } from 'node:util'
import { isAlias, isMap, isScalar, isSeq, parseDocument, Scalar, YAMLMap, YAMLSeq, type Document } from 'yaml'
import { functionsOf, parseProject, placeholderEnvironment, ProjectFileError, type ProjectFunction } from '../../../doctl-project-schema/src/index.ts'
import { IndexError } from './index-error.ts'
import type { Deployment } from '../../../functions-runtime/src/edge/deployment.ts'

/** A project.yml that says what the functions say. */
export interface SyncedProjectFile {
  readonly text: string
  /** One sentence for each difference; empty when the text is what it was. */
  readonly changes: readonly string[]
}

/**
 * Returns project.yml with the block of every function as its definition has it, and without the blocks of functions that
 * are `gone`. All else stays as it is written: comments, keys that a definition does not set, variables that are written out.
 * Values are compared, not their form: a block that says the same in other words is left alone. The block of a function that has
 * another name or package now moves with it.
 * @throws ProjectFileError when the text is invalid; IndexError when a definition would make it invalid, or it cannot be written.
 */
export function syncProjectFile(text: string, deployments: readonly Deployment[], gone: ReadonlySet<string>): SyncedProjectFile {
  const project = parseProject(text, placeholderEnvironment(text))
  const present = new Map(functionsOf(project).map(one => [one.qualifiedName, one]))
  const document = parseDocument(text)
  const changes: string[] = []
  const left = new Set([...gone].filter(name => present.has(name)))
  const added = deployments.filter(one => !present.has(nameOf(one)))
  for (const deployment of added) {
    const from = formerNameOf(deployment, left, added)
    if (from === undefined) continue
    moveBlock(document, from, deployment)
    left.delete(from)
    present.set(nameOf(deployment), present.get(from) as ProjectFunction)
    changes.push(`${from} is now ${nameOf(deployment)}`)
  }
  for (const name of left) {
    const lost = handWrittenIn(blockOf(document, name))
    removeBlock(document, name)
    changes.push(`${name} is gone${lost.length === 0 ? '' : `, and what its block had of its own: ${lost.join(', ')}`}`)
  }
  for (const deployment of deployments) {
    const name = nameOf(deployment)
    const before = present.get(name)
    const block = before === undefined ? addBlock(document, deployment) : blockOf(document, name)
    if (block === undefined) continue
    if (before === undefined) changes.push(`${name} is new`)
    changes.push(...updateBlock(document, block, deployment, before).map(change => `${name} ${change}`))
  }
  if (changes.length === 0) return { text, changes }
  const synced = textOf(document, text)
  requireValid(synced, document)
  return { text: synced, changes }
}

/** Refuses a definition before it is written: project.yml would stay invalid after the definition is corrected. */
function requireValid(text: string, document: Document): void {
  try {
    parseProject(text, placeholderEnvironment(text))
  } catch (error) {
    const issue = error instanceof ProjectFileError ? error.issues[0] : undefined
    if (issue === undefined) throw error
    const [, index, inner] = /^packages\[(\d+)\]\.functions\[(\d+)\]/.exec(issue.path) ?? []
    const names = [
      ['packages', Number(index), 'name'],
      ['packages', Number(index), 'functions', Number(inner), 'name'],
    ].map(path => String(document.getIn(path)))
    throw new IndexError({ file: inner === undefined ? 'project.yml' : `packages/${names.join('/')}/index.ts`, reason: issue.reason, fix: issue.fix })
  }
}

function nameOf(deployment: Deployment): string {
  return `${deployment.package}/${deployment.function}`
}

/** The block that a new function had before: of one function of its name, or the only one that is gone while only one is new. */
function formerNameOf(deployment: Deployment, gone: ReadonlySet<string>, added: readonly Deployment[]): string | undefined {
  const namesakes = [...gone].filter(name => name.endsWith(`/${deployment.function}`))
  const candidates = namesakes.length > 0 ? namesakes : added.length === 1 ? [...gone] : []
  return candidates.length === 1 ? candidates[0] : undefined
}

function textOf(document: Document, before: string): string {
  try {
    // With a line width, `$(NAME)` could be broken in two.
    const text = document.toString({ lineWidth: 0 })
    return before.includes('\r\n') ? text.replaceAll(/\r?\n/g, '\r\n') : text
  } catch (error) {
    const [, anchor = ''] = /: (\S+)$/m.exec((error as Error).message) ?? []
    throw new IndexError({
      file: 'project.yml',
      reason: `has an alias *${anchor} of something in a block that changes`,
      fix: `Move the anchor &${anchor} to a block that stays, or write the values out`,
    })
  }
}

/** Names of what a block has beside what a definition sets. */
function handWrittenIn(block: YAMLMap | undefined): string[] {
  const keys = block?.items.map(({ key }) => String(key)) ?? []
  const environment = block?.get('environment')
  const variables = isMap(environment) ? environment.items.map(({ key }) => String(key)).filter(key => key !== '<<') : []
  return [...keys.filter(key => !['name', 'runtime', 'web', 'limits', 'environment', 'triggers'].includes(key)), ...variables]
}

function moveBlock(document: Document, from: string, { package: inPackage, function: name }: Deployment): void {
  const block = blockOf(document, from)
  if (block === undefined) return
  removeBlock(document, from)
  block.set('name', name)
  const packages = sequenceAt(document.contents as YAMLMap, 'packages')
  const owner = namedIn(packages, inPackage) ?? append(packages, inPackage)
  sequenceAt(owner, 'functions').items.push(block)
}

function updateBlock(document: Document, block: YAMLMap, deployment: Deployment, before: ProjectFunction | undefined): string[] {
  const changes: string[] = []
  const web = deployment.web ? 'raw' : false
  if (before === undefined) block.set('runtime', 'nodejs:24')
  if (before?.web !== web) {
    block.set('web', web)
    changes.push(deployment.web ? 'is reached by HTTP requests' : 'is private')
  }
  changes.push(...updateLimits(document, block, deployment, before))
  changes.push(...updateVariables(block, deployment, before))
  changes.push(...updateTriggers(document, block, deployment, before))
  // That a block is new says it all.
  return before === undefined ? [] : changes
}

function updateLimits(document: Document, block: YAMLMap, deployment: Deployment, before: ProjectFunction | undefined): string[] {
  const { limits: stated, defaultLimits } = deployment
  const present = before && { timeoutMs: before.limits.timeout, memoryMb: before.limits.memory }
  const limits = { ...(present ?? defaultLimits), ...stated }
  if (isDeepStrictEqual(limits, present)) return []
  const wanted = { timeout: limits.timeoutMs, memory: limits.memoryMb }
  const written = block.get('limits')
  if (isMap(written)) for (const [key, value] of Object.entries(wanted)) written.set(key, value)
  else block.set('limits', document.createNode(wanted, { flow: true }))
  return [`may take ${wanted.timeout} ms and ${wanted.memory} MB`]
}

function updateVariables(block: YAMLMap, { variables }: Deployment, before: ProjectFunction | undefined): string[] {
  const written = block.get('environment', true) as unknown
  const environment = isMap(written) ? written : new YAMLMap()
  // An alias of a whole environment becomes one of the things that are merged.
  if (isAlias(written)) environment.set('<<', written)
  const { references, foreign } = mergedInto(environment)
  const taken = [...references.keys()]
  const others = new Set(Object.keys(before?.environment ?? {}).filter(name => !taken.includes(name)))
  const wanted = variables.filter(name => !others.has(name))
  const added = wanted.filter(name => !taken.includes(name))
  const dropped = taken.filter(name => !wanted.includes(name))
  if (added.length === 0 && dropped.length === 0) return []
  const list = new YAMLSeq()
  // One name in each reference: merging two versions of the file then works line by line.
  list.items = [...foreign, ...wanted.map(name => references.get(name) ?? new Scalar(`$(${name})`))]
  if (list.items.length > 0) environment.set('<<', list)
  else environment.delete('<<')
  if (environment.items.length > 0) block.set('environment', environment)
  else block.delete('environment')
  return [...(added.length > 0 ? [`gets ${added.join(', ')}`] : []), ...(dropped.length > 0 ? [`no longer gets ${dropped.join(', ')}`] : [])]
}

/** What a block merges by `<<`: nodes of `$(NAME)` by name, those with several names without a node, and what is none of these. */
function mergedInto(environment: YAMLMap): { readonly references: ReadonlyMap<string, Scalar | undefined>; readonly foreign: readonly unknown[] } {
  const merged = environment.get('<<', true) as unknown
  const references = new Map<string, Scalar | undefined>()
  const foreign: unknown[] = []
  for (const node of isSeq(merged) ? merged.items : merged === undefined ? [] : [merged]) {
    const [, names] = /^\$\(([^)]*)\)$/.exec(isScalar(node) ? String(node.value) : '') ?? []
    const all = names?.split(/\s+/).filter(name => name !== '')
    if (all === undefined) foreign.push(node)
    // The node of one name keeps its comment.
    else for (const name of all) references.set(name, all.length === 1 && isScalar(node) && isSeq(merged) ? node : undefined)
  }
  return { references, foreign }
}

function updateTriggers(document: Document, block: YAMLMap, { schedules }: Deployment, before: ProjectFunction | undefined): string[] {
  if (schedules === undefined) return []
  const present = before?.triggers ?? []
  const isSame =
    schedules.length === present.length && schedules.every((schedule, index) => isDeepStrictEqual(viewOf(schedule), viewOf(present[index])))
  if (isSame) return []
  const written = block.get('triggers')
  const list = isSeq(written) ? written : new YAMLSeq()
  list.items = schedules.map(schedule => {
    const trigger = namedIn(list, schedule.name) ?? newTrigger(document, schedule.name)
    const details = trigger.get('scheduledDetails')
    const detailed = isMap(details) ? details : new YAMLMap()
    const quoted = new Scalar(schedule.cron)
    quoted.type = 'QUOTE_DOUBLE'
    if (detailed.get('cron') !== schedule.cron) detailed.set('cron', quoted)
    if (!isDeepStrictEqual(viewOf(schedule), viewOf(present.find(({ name }) => name === schedule.name))))
      detailed.set('body', document.createNode(schedule.body, { flow: true }))
    trigger.set('scheduledDetails', detailed)
    return trigger
  })
  if (list.items.length > 0) block.set('triggers', list)
  else block.delete('triggers')
  return [schedules.length === 0 ? 'has no schedule' : `runs by ${schedules.map(({ name }) => name).join(', ')}`]
}

function newTrigger(document: Document, name: string): YAMLMap {
  return document.createNode({ name, type: 'SCHEDULED', enabled: true })
}

function viewOf(schedule: { readonly name: string; readonly cron: string; readonly body: unknown } | undefined): unknown {
  // Key order and undefined do not count.
  return schedule && { name: schedule.name, cron: schedule.cron, body: JSON.parse(JSON.stringify(schedule.body)) as unknown }
}

function addBlock(document: Document, deployment: Deployment): YAMLMap {
  const packages = sequenceAt(document.contents as YAMLMap, 'packages')
  const inPackage = namedIn(packages, deployment.package) ?? append(packages, deployment.package)
  return append(sequenceAt(inPackage, 'functions'), deployment.function)
}

function append(list: YAMLSeq, name: string): YAMLMap {
  const added = new YAMLMap()
  added.set('name', name)
  list.items.push(added)
  return added
}

function blockOf(document: Document, name: string): YAMLMap | undefined {
  const [inPackage = '', inFunction = ''] = name.split('/')
  const found = namedIn(sequenceAt(document.contents as YAMLMap, 'packages'), inPackage)
  return found && namedIn(sequenceAt(found, 'functions'), inFunction)
}

function removeBlock(document: Document, name: string): void {
  const [inPackage = '', inFunction = ''] = name.split('/')
  const packages = sequenceAt(document.contents as YAMLMap, 'packages')
  const owner = namedIn(packages, inPackage)
  if (owner === undefined) return
  const functions = sequenceAt(owner, 'functions')
  functions.items = functions.items.filter(one => !isNamed(one, inFunction))
  if (functions.items.length === 0) packages.items = packages.items.filter(one => one !== owner)
}

function sequenceAt(map: YAMLMap, key: string): YAMLSeq {
  const found = map.get(key)
  if (isSeq(found)) return found
  const added = new YAMLSeq()
  map.set(key, added)
  return added
}

function namedIn(list: YAMLSeq, name: string): YAMLMap | undefined {
  return list.items.find((one): one is YAMLMap => isNamed(one, name))
}

function isNamed(node: unknown, name: string): boolean {
  return isMap(node) && String(node.get('name')) === name
}
