/* global AbortController, __dirname, process */

// Runs the ordinary application of a folder on orders of the test, and keeps a record of each call: its time, whether its
// result is right, and which rows it must have left.
const { join } = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')

const folder = join(__dirname, process.argv[2])
const service = require(join(folder, 'service.js'))
const { sequelize } = require(join(folder, 'models.js'))

const calls = []
const authors = ['first@example.org']
const titles = []
let count = 0
let booksDone = 0
let booksBegun = 0

const kinds = {
  addAuthor: async entry => {
    const email = `${entry.key}@example.org`
    const author = await service.addAuthor({ name: entry.key, email })
    authors.push(email)
    return author.email === email && author.id > 0
  },
  addBook: async entry => {
    booksBegun += 1
    const book = await service.addBook(authors.at(-1), { title: ` ${entry.key} `, price: 5, meta: { a: 1 } })
    booksDone += 1
    titles.push(entry.key)
    return book.title === entry.key && book.id > 0
  },
  listBooks: async () => {
    const title = titles.at(-1)
    if (title === undefined) return (await service.listBooks('no such title')).length === 0
    const found = await service.listBooks(title)
    return found.length === 1 && found[0].title === title && found[0].author.email.endsWith('@example.org')
  },
  count: async () => {
    const least = booksDone
    const found = await service.count()
    return found >= least && found <= booksBegun
  },
  labels: async () => {
    const least = booksDone
    const found = await service.labels()
    return found.length >= least && found.length <= booksBegun && found.every(label => label.endsWith('(5.00)'))
  },
}
const order = Object.keys(kinds)

// What would end the process counts as a call that failed.
process.on('uncaughtException', error => {
  calls.push({ kind: 'process', key: 'none', outcome: 'uncoded', message: `would have ended the process: ${error?.message}`, ms: 0 })
})

const LONGEST_CALL_MS = 30_000

/** Rejects when a result takes too long. */
async function inTime(result) {
  const abort = new AbortController()
  const late = sleep(LONGEST_CALL_MS, undefined, { signal: abort.signal }).then(() => Promise.reject(new Error('no result in time')))
  late.catch(() => undefined)
  try {
    return await Promise.race([result, late])
  } finally {
    abort.abort()
  }
}

/** One call; resolves whatever becomes of it. */
async function call(kind = order[count % order.length]) {
  count += 1
  const entry = { kind, key: `key-${count}-`, outcome: 'open', ms: 0 }
  calls.push(entry)
  const began = Date.now()
  try {
    entry.outcome = (await inTime(kinds[kind](entry))) ? 'right' : 'wrong'
  } catch (error) {
    entry.outcome = typeof error?.code === 'string' ? 'coded' : 'uncoded'
    entry.code = error?.code
    entry.message = `${error?.name}: ${error?.message}`
  }
  entry.ms = Date.now() - began
}

async function callInTurn(times) {
  for (let time = 0; time < times; time += 1) await call()
}

const orders = {
  async begin() {
    await sequelize.sync()
    await service.addAuthor({ name: 'first', email: authors[0] })
  },
  calls: ({ times }) => callInTurn(times),
  async load({ ms, callers }) {
    const until = Date.now() + ms
    const caller = async () => {
      while (Date.now() < until) {
        await call()
        await sleep(5)
      }
    }
    await Promise.all(Array.from({ length: callers }, caller))
  },
  // Calls before and after, all in the same tick as the close.
  async close({ manager }) {
    const before = order.map(kind => call(kind))
    const closed = manager ? sequelize.connectionManager.close() : sequelize.close()
    const after = order.map(kind => call(kind))
    await Promise.all([...before, ...after, Promise.resolve(closed).catch(() => undefined)])
    await callInTurn(order.length)
  },
  // Whether the application works again, once the fault is over.
  async recover() {
    const before = calls.length
    await callInTurn(order.length)
    return calls.slice(before).every(({ outcome }) => outcome === 'right')
  },
  async report() {
    return calls
  },
}

process.on('message', async ({ id, name, given }) => {
  try {
    process.send({ id, result: await orders[name](given) })
  } catch (error) {
    process.send({ id, error: `${error?.stack}` })
  }
})
