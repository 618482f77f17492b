import type { Transaction } from 'sequelize'
import { CLS } from './sequelize-internals.ts'

/** A namespace of continuation-local storage, as an application gives it to `Sequelize.useCLS`. */
export interface Namespace {
  get(key: unknown): unknown
  set(key: unknown, value: unknown): unknown
  run(body: (context: unknown) => unknown): unknown
  bind(body: unknown): unknown
}

/** Under this key Sequelize keeps the ambient transaction; all instances of a process share it. */
const TRANSACTION = 'transaction'
/** Our transactions in a namespace, each with the one that it stands in the place of. */
const covered = new WeakMap<object, unknown>()
/** Getters that answer other instances, with the namespace behind them. */
type Getter = (this: object) => Namespace
const behind = new WeakMap<Getter, Namespace>()
const filters = new WeakMap<Namespace, Namespace>()
const ourClasses = new WeakSet<object>()

/** The namespace that the application gave to `Sequelize.useCLS`, if it did. */
export function namespaceOf(SequelizeClass: object): Namespace | undefined {
  const { get = undefined, value = undefined } = (descriptorOf(SequelizeClass)?.descriptor ?? {}) as { get?: Getter; value?: Namespace | null }
  // An application may have made the member an accessor itself.
  return (get === undefined ? value : (behind.get(get) ?? get.call(SequelizeClass))) ?? undefined
}

/** The class with another namespace, for one instance; the class itself keeps its own. */
export function withNamespace(SequelizeClass: object, namespace: Namespace): object {
  return new Proxy(SequelizeClass, {
    get(target, key, receiver): unknown {
      return key === CLS ? namespace : Reflect.get(target, key, receiver)
    },
  })
}

/** Marks a class whose instances tell their own transactions from those of others. */
export function markResilient(SequelizeClass: object): void {
  ourClasses.add(SequelizeClass)
}

/** Makes the transaction the ambient one of calls from here on; `key` finds it again below another instance's. */
export function enterNamespace(SequelizeClass: object, transaction: Transaction, key: symbol): void {
  const namespace = namespaceOf(SequelizeClass)
  if (namespace === undefined) return
  covered.set(transaction, namespace.get(TRANSACTION))
  filterForOthers(SequelizeClass, namespace)
  namespace.set(TRANSACTION, transaction)
  namespace.set(key, transaction)
}

/** Takes the transaction out of the namespace again. */
export function leaveNamespace(SequelizeClass: object, transaction: Transaction, key: symbol): void {
  const namespace = namespaceOf(SequelizeClass)
  for (const each of [TRANSACTION, key]) if (namespace?.get(each) === transaction) namespace.set(each, null)
}

/** Whether there is an ambient transaction, of whatever instance. */
export function isOccupied(SequelizeClass: object): boolean {
  return Boolean(namespaceOf(SequelizeClass)?.get(TRANSACTION))
}

/** What an instance finds in the namespace of its class: a transaction of its own, also below another instance's. */
export function findInNamespace(SequelizeClass: object, key: symbol, isOwn: (transaction: Transaction) => boolean): Transaction | undefined {
  const namespace = namespaceOf(SequelizeClass)
  const found = namespace?.get(TRANSACTION) as Transaction | null | undefined
  if (found === undefined || found === null || isOwn(found)) return found ?? undefined
  return (namespace?.get(key) as Transaction | null | undefined) ?? undefined
}

// Instances of stock Sequelize take whatever transaction is in the namespace, also one of another database.
function filterForOthers(SequelizeClass: object, namespace: Namespace): void {
  const found = descriptorOf(SequelizeClass)
  if (found === undefined || found.descriptor.get !== undefined) return
  const { holder } = found
  const get: Getter = function () {
    return isOfOurs(this) ? namespace : filterOf(namespace)
  }
  behind.set(get, namespace)
  const set = function (this: object, value: unknown) {
    Object.defineProperty(this, CLS, { value, configurable: true, enumerable: true, writable: true })
  }
  Object.defineProperty(holder, CLS, { get, set, configurable: true, enumerable: true })
}

/** The namespace itself while none of our transactions is the ambient one. */
function filterOf(namespace: Namespace): Namespace {
  if (!isCovering(namespace.get(TRANSACTION))) return namespace
  const known = filters.get(namespace)
  if (known !== undefined) return known
  const filter = new Proxy(namespace, {
    get(target, name): unknown {
      if (name === 'get') return (key: unknown) => (key === TRANSACTION ? othersOf(target) : target.get(key))
      const member = Reflect.get(target, name) as unknown
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
  filters.set(namespace, filter)
  return filter
}

function othersOf(namespace: Namespace): unknown {
  let transaction = namespace.get(TRANSACTION)
  while (isCovering(transaction)) transaction = covered.get(transaction)
  return transaction
}

function isCovering(transaction: unknown): transaction is object {
  return typeof transaction === 'object' && transaction !== null && covered.has(transaction)
}

function isOfOurs(SequelizeClass: object): boolean {
  for (let each: object | null = SequelizeClass; each !== null; each = Object.getPrototypeOf(each) as object | null)
    if (ourClasses.has(each)) return true
  return false
}

function descriptorOf(SequelizeClass: object): { holder: object; descriptor: PropertyDescriptor } | undefined {
  for (let holder: object | null = SequelizeClass; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(holder, CLS)
    if (descriptor !== undefined) return { holder, descriptor }
  }
  return undefined
}
