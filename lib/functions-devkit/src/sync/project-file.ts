import { isDeepStrictEqual } from 'node:util'
import { isMap, isScalar, isSeq, parseDocument, Scalar, YAMLMap, YAMLSeq, type Document } from 'yaml'
import { functionsOf, parseProject, placeholderEnvironment, type ProjectFunction } from '../../../doctl-project-schema/src/index.ts'
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
 * Values are compared, not their form: a block that says the same in other words is left alone.
 * @throws ProjectFileError when the text is no valid project.yml.
 */
export function syncProjectFile(text: string, deployments: readonly Deployment[], gone: ReadonlySet<string>): SyncedProjectFile {
  const project = parseProject(text, placeholderEnvironment(text))
  const present = new Map(functionsOf(project).map(one => [one.qualifiedName, one]))
  const document = parseDocument(text)
  const changes: string[] = []
  for (const name of gone) {
    if (!present.has(name)) continue
    removeBlock(document, name)
    changes.push(`${name} is gone`)
  }
  for (const deployment of deployments) {
    const name = `${deployment.package}/${deployment.function}`
    const before = present.get(name)
    const block = before === undefined ? addBlock(document, deployment) : blockOf(document, name)
    if (block === undefined) continue
    if (before === undefined) changes.push(`${name} is new`)
    changes.push(...updateBlock(document, block, deployment, before).map(change => `${name} ${change}`))
  }
  // With a line width, `$(NAME)` could be broken in two.
  return changes.length === 0 ? { text, changes } : { text: document.toString({ lineWidth: 0 }), changes }
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
  const limits = deployment.limits ?? (before === undefined ? deployment.defaultLimits : undefined)
  if (limits === undefined) return []
  const wanted = { timeout: limits.timeoutMs, memory: limits.memoryMb }
  if (before?.limits.timeout === wanted.timeout && before.limits.memory === wanted.memory) return []
  const written = block.get('limits')
  if (isMap(written)) for (const [key, value] of Object.entries(wanted)) written.set(key, value)
  else block.set('limits', document.createNode(wanted, { flow: true }))
  return [`may take ${wanted.timeout} ms and ${wanted.memory} MB`]
}

function updateVariables(block: YAMLMap, { variables }: Deployment, before: ProjectFunction | undefined): string[] {
  const written = block.get('environment')
  const environment = isMap(written) ? written : new YAMLMap()
  const taken = takenOver(environment)
  const others = new Set(Object.keys(before?.environment ?? {}).filter(name => !taken.includes(name)))
  const wanted = variables.filter(name => !others.has(name))
  const added = wanted.filter(name => !taken.includes(name))
  const dropped = taken.filter(name => !wanted.includes(name))
  if (added.length === 0 && dropped.length === 0) return []
  const list = new YAMLSeq()
  // One name in each reference: merging two versions of the file then works line by line.
  list.items = wanted.map(name => new Scalar(`$(${name})`))
  if (wanted.length > 0) environment.set('<<', list)
  else environment.delete('<<')
  if (environment.items.length > 0) block.set('environment', environment)
  else block.delete('environment')
  return [...(added.length > 0 ? [`gets ${added.join(', ')}`] : []), ...(dropped.length > 0 ? [`no longer gets ${dropped.join(', ')}`] : [])]
}

/** Names of the variables that a block takes over by `<<: $(A B)`, or by a list of these. */
function takenOver(environment: YAMLMap): string[] {
  const merged = environment.get('<<', true) as unknown
  const references = isSeq(merged) ? merged.items : [merged]
  return references.flatMap(reference => {
    const [, names] = /^\$\(([^)]*)\)$/.exec(isScalar(reference) ? String(reference.value) : '') ?? []
    return names?.split(/\s+/).filter(name => name !== '') ?? []
  })
}

function updateTriggers(document: Document, block: YAMLMap, { schedules }: Deployment, before: ProjectFunction | undefined): string[] {
  if (schedules === undefined) return []
  const present = before?.triggers ?? []
  const isSame =
    schedules.length === present.length && schedules.every((schedule, index) => isDeepStrictEqual(viewOf(schedule), viewOf(present[index])))
  if (isSame) return []
  const triggers = schedules.map(({ name, cron, body }) => {
    const enabled = present.find(trigger => trigger.name === name)?.enabled ?? true
    const details = new YAMLMap()
    const quoted = new Scalar(cron)
    quoted.type = 'QUOTE_DOUBLE'
    details.set('cron', quoted)
    details.set('body', document.createNode(body, { flow: true }))
    const trigger = document.createNode({ name, type: 'SCHEDULED', enabled }) as YAMLMap
    trigger.set('scheduledDetails', details)
    return trigger
  })
  const list = new YAMLSeq()
  list.items = triggers
  if (triggers.length > 0) block.set('triggers', list)
  else block.delete('triggers')
  return [schedules.length === 0 ? 'has no schedule' : `runs by ${schedules.map(({ name }) => name).join(', ')}`]
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
