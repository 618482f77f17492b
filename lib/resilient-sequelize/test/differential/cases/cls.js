import process from 'node:process'
import { setTimeout as later } from 'node:timers'
import { setTimeout } from 'node:timers/promises'

/** A case under a namespace; each namespace of continuation-local storage is as good as the other. */
const within =
  (work, { kind = 'asyncNamespace', nested = false } = {}) =>
  async (Sequelize, _, DataTypes, tools) => {
    const namespace = tools[kind]()
    const returned = Sequelize.useCLS(namespace) === Sequelize
    const sequelize = tools.connect({ pool: { max: 3 } })
    const Note = sequelize.define('note', { text: DataTypes.STRING }, { timestamps: false })
    await Note.sync()
    const texts = async () => (await tools.plain('SELECT text FROM notes ORDER BY text')).map(({ text }) => text)
    const result = await work({ Note, texts, namespace, Sequelize, sequelize, DataTypes, tools })
    return [returned, nested, result, await texts()]
  }

const both = (title, work) => ({
  [title]: within(work),
  [`${title} (cls-hooked)`]: within(work, { kind: 'clsHooked' }),
})

export const cases = {
  ...both('joins the transaction of the namespace', async ({ Note, texts, sequelize }) =>
    sequelize.transaction(async transaction => {
      await Note.create({ text: 'a' })
      await sequelize.query("INSERT INTO notes (text) VALUES ('b')")
      return [await texts(), await Note.count(), sequelize.constructor._cls.get('transaction') === transaction]
    }),
  ),
  ...both('rolls back what joined the transaction', async ({ Note, sequelize, tools }) =>
    tools.errorOf(
      sequelize.transaction(async () => {
        await Note.create({ text: 'a' })
        await Note.bulkCreate([{ text: 'b' }, { text: 'c' }])
        await Note.update({ text: 'd' }, { where: { text: 'b' } })
        throw new Error('back')
      }),
    ),
  ),
  ...both('leaves the transaction when it ends', async ({ Note, namespace, sequelize }) => {
    await sequelize.transaction(() => Note.create({ text: 'a' }))
    const after = namespace.get('transaction')
    await Note.create({ text: 'b' })
    return after
  }),
  'leaves the transaction on request': within(async ({ Note, texts, sequelize, tools }) => {
    const error = await tools.errorOf(
      sequelize.transaction(async () => {
        await Note.create({ text: 'inside' })
        await Note.create({ text: 'outside' }, { transaction: null })
        await sequelize.query("INSERT INTO notes (text) VALUES ('raw outside')", { transaction: null })
        tools.note('seen', await texts())
        throw new Error('back')
      }),
    )
    return error
  }),
  'nests transactions of the namespace': within(
    async ({ Note, sequelize, tools }) =>
      sequelize.transaction(async outer => {
        await Note.create({ text: 'outer' })
        tools.note(
          'inner',
          await tools.errorOf(
            sequelize.transaction({ transaction: outer }, async () => {
              await Note.create({ text: 'inner' })
              throw new Error('inner')
            }),
          ),
        )
        await Note.create({ text: 'after' })
      }),
    { nested: true },
  ),
  'opens an independent transaction inside another': within(async ({ Note, texts, sequelize, tools }) =>
    tools.errorOf(
      sequelize.transaction(async outer => {
        await Note.create({ text: 'outer' })
        await sequelize.transaction(async inner => {
          tools.note('ids differ', outer.id !== inner.id)
          await Note.create({ text: 'independent' })
        })
        tools.note('committed inside', await texts())
        await Note.create({ text: 'outer again' })
        throw new Error('outer')
      }),
    ),
  ),
  'does not put unmanaged transactions into the namespace': within(async ({ Note, texts, sequelize }) => {
    const transaction = await sequelize.transaction()
    await Note.create({ text: 'outside' })
    await Note.create({ text: 'inside' }, { transaction })
    const seen = await texts()
    await transaction.rollback()
    return seen
  }),
  'keeps parallel transactions apart': within(async ({ Note, sequelize, tools }) => {
    tools.ignoreLogOrder()
    const one = (name, id) =>
      sequelize.transaction(async transaction => {
        await Note.create({ id, text: name })
        await setTimeout(3)
        const seen = (await Note.findAll({ raw: true, attributes: ['text'] })).map(({ text }) => text)
        if (name === 'b') throw new Error('back')
        return [seen.includes(name), transaction.id === sequelize.constructor._cls.get('transaction').id]
      })
    return Promise.allSettled(['a', 'b', 'c'].map(one))
  }),
  'joins from callbacks, timers and events': within(async ({ Note, sequelize, tools }) =>
    tools.errorOf(
      sequelize.transaction(async () => {
        await new Promise((resolve, reject) => later(() => Note.create({ text: 'timer' }).then(resolve, reject), 1))
        await new Promise((resolve, reject) => process.nextTick(() => Note.create({ text: 'tick' }).then(resolve, reject)))
        await Promise.all([Note.create({ text: 'x' }), Note.create({ text: 'y' })])
        throw new Error('back')
      }),
    ),
  ),
  'joins with every kind of call': within(async ({ Note, sequelize, tools }) =>
    tools.errorOf(
      sequelize.transaction(async () => {
        const note = await Note.create({ text: 'a' })
        await note.update({ text: 'b' })
        await note.increment({ id: 10 })
        await note.reload({ where: { id: 11 } })
        await Note.upsert({ id: 50, text: 'u' })
        await Note.findOrCreate({ where: { text: 'f' } })
        await Note.findCreateFind({ where: { text: 'g' } })
        await Note.destroy({ where: { text: 'f' } })
        await sequelize.getQueryInterface().bulkInsert('notes', [{ text: 'q' }])
        await Note.truncate()
        tools.note('count', await Note.count())
        throw new Error('back')
      }),
    ),
  ),
  'runs afterCommit outside of the transaction': within(async ({ Note, namespace, sequelize, tools }) =>
    sequelize.transaction(async transaction => {
      await Note.create({ text: 'a' })
      transaction.afterCommit(async () => {
        tools.note('namespace', namespace.get('transaction'))
        await Note.create({ text: 'after' })
      })
    }),
  ),
  "keeps the application's own values": within(async ({ namespace, sequelize, tools }) => {
    await new Promise((resolve, reject) =>
      namespace.run(() => {
        namespace.set('request', 7)
        sequelize
          .transaction(async () => {
            tools.note('inside', namespace.get('request'))
            namespace.set('added', 1)
          })
          .then(() => tools.note('after', namespace.get('request'), namespace.get('added')))
          .then(resolve, reject)
      }),
    )
  }),
  'passes errors of the database through': within(async ({ Note, sequelize, tools }) =>
    tools.errorOf(
      sequelize.transaction(async () => {
        await Note.create({ id: 1, text: 'a' })
        await Note.create({ id: 1, text: 'b' })
      }),
    ),
  ),
  'refuses a namespace that is none': async (Sequelize, _, DataTypes, tools) => [
    await tools.errorOf(() => Sequelize.useCLS()),
    await tools.errorOf(() => Sequelize.useCLS({ bind: 1 })),
  ],
}
