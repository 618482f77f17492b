/* global process */

// Two databases, one of them behind stock Sequelize, and work in both at once. Each scenario names the rows that must be
// left in each.
const { Sequelize, DataTypes, Model } = require('sequelize')
const { ResilientSequelize, makeResilient } = require('resilient-sequelize')

const { OURS_URL, OTHER_URL } = process.env
const kind = process.argv[2]
const options = { logging: false, pool: { max: 3 } }
const rollBack = new Error('rolled back on purpose')

if (kind === 'cls') Sequelize.useCLS(require('cls-hooked').createNamespace('application'))

let ours
let OursNote
if (kind === 'typescript') {
  require('reflect-metadata')
  const typescript = require('sequelize-typescript')
  OursNote = class Note extends typescript.Model {}
  // What the decorators do.
  typescript.Column({ type: DataTypes.STRING })(OursNote.prototype, 'text')
  typescript.Table({ tableName: 'notes', timestamps: false })(OursNote)
  ours = new (makeResilient(typescript.Sequelize))(OURS_URL, { ...options, models: [OursNote] })
} else {
  ours = new ResilientSequelize(OURS_URL, options)
  OursNote = noteOf(ours)
}
const other = new Sequelize(OTHER_URL, options)
const OtherNote = noteOf(other)

function noteOf(sequelize) {
  class Note extends Model {}
  return Note.init({ text: DataTypes.STRING }, { sequelize, tableName: 'notes', timestamps: false, modelName: 'Note' })
}

/** Runs work and swallows the error that it ends with on purpose. */
async function undone(work) {
  try {
    await work()
  } catch (error) {
    if (error !== rollBack) throw error
    return
  }
  throw new Error('the work was not rolled back')
}

// With a namespace, or in a unit of work, calls join the transaction by themselves; else they are handed it.
const within = transaction => (kind === 'cls' ? {} : { transaction })
const addOther = (text, transaction) => OtherNote.create({ text }, transaction === undefined ? {} : within(transaction))
const addOurs = (text, transaction) => OursNote.create({ text }, transaction === undefined ? {} : within(transaction))
const raw = text => ours.query('INSERT INTO notes (text) VALUES ($text)', { bind: { text } })

const scenarios = {
  'a unit of work commits beside a call of the other': async () => {
    await ours.execute('note', async () => {
      await addOurs('ours')
      await addOther('other')
    })
    return { ours: ['ours'], other: ['other'] }
  },
  'a unit of work rolls back and the other keeps its row': async () => {
    await undone(() =>
      ours.execute('note', async () => {
        await addOurs('gone')
        await raw('gone too')
        await addOther('other')
        throw rollBack
      }),
    )
    return { ours: [], other: ['other'] }
  },
  'a transaction of the other commits within a unit that rolls back': async () => {
    await undone(() =>
      ours.execute('note', async () => {
        await addOurs('gone')
        await other.transaction(async transaction => {
          await addOther('other', transaction)
          await addOurs('gone in between')
        })
        throw rollBack
      }),
    )
    return { ours: [], other: ['other'] }
  },
  'a transaction of the other rolls back within a unit that commits': async () => {
    await ours.execute('note', async () => {
      await addOurs('ours')
      await undone(() =>
        other.transaction(async transaction => {
          await addOther('gone', transaction)
          await addOurs('ours in between')
          throw rollBack
        }),
      )
      await addOurs('ours at last')
    })
    return { ours: ['ours', 'ours at last', 'ours in between'], other: [] }
  },
  'a unit commits within a transaction of the other that rolls back': async () => {
    await undone(() =>
      other.transaction(async transaction => {
        await addOther('gone', transaction)
        await ours.execute('note', async () => {
          await addOurs('ours')
          await raw('ours too')
        })
        await addOther('gone too', transaction)
        throw rollBack
      }),
    )
    return { ours: ['ours', 'ours too'], other: [] }
  },
  'a unit rolls back within a transaction of the other that commits': async () => {
    await other.transaction(async transaction => {
      await addOther('other', transaction)
      await undone(() =>
        ours.execute('note', async () => {
          await addOurs('gone')
          throw rollBack
        }),
      )
      await addOther('other too', transaction)
    })
    return { ours: [], other: ['other', 'other too'] }
  },
  'our transaction rolls back within the other that commits': async () => {
    await other.transaction(async outer => {
      await addOther('other', outer)
      await undone(() =>
        ours.transaction(async inner => {
          await addOurs('gone', inner)
          await OtherNote.create({ text: 'other in between' }, { transaction: outer })
          throw rollBack
        }),
      )
    })
    return { ours: [], other: ['other', 'other in between'] }
  },
  'our transaction commits within the other that rolls back': async () => {
    await undone(() =>
      other.transaction(async outer => {
        await addOther('gone', outer)
        await ours.transaction(async inner => {
          await addOurs('ours', inner)
        })
        throw rollBack
      }),
    )
    return { ours: ['ours'], other: [] }
  },
  'the other commits within our transaction that rolls back': async () => {
    await undone(() =>
      ours.transaction(async outer => {
        await addOurs('gone', outer)
        await other.transaction(async inner => {
          await addOther('other', inner)
        })
        await OursNote.create({ text: 'gone too' }, { transaction: outer })
        throw rollBack
      }),
    )
    return { ours: [], other: ['other'] }
  },
  'managed transactions roll back and commit side by side': async () => {
    const each = Array.from({ length: 12 }, (_, index) => index)
    await Promise.all(
      each.map(index => {
        const work = sequelize => async transaction => {
          const add = sequelize === ours ? addOurs : addOther
          await add(`row ${index}`, transaction)
          if (sequelize === ours && kind === 'cls') await raw(`raw ${index}`)
          if (index % 2 === 1) throw rollBack
        }
        const sequelize = index % 4 < 2 ? ours : other
        const run = () => sequelize.transaction(work(sequelize))
        return index % 2 === 1 ? undone(run) : run()
      }),
    )
    const of = rest => each.filter(index => index % 4 === rest).map(index => `row ${index}`)
    const raws = kind === 'cls' ? each.filter(index => index % 4 === 0).map(index => `raw ${index}`) : []
    return { ours: [...of(0), ...raws].sort(), other: of(2).sort() }
  },
  'a managed transaction within a unit undoes its own part alone': async () => {
    await ours.execute('note', async () => {
      await addOurs('ours')
      await undone(() =>
        ours.transaction(async transaction => {
          await addOurs('gone', transaction)
          throw rollBack
        }),
      )
      await addOurs('ours too')
    })
    return { ours: ['ours', 'ours too'], other: [] }
  },
  'increment and bulk calls join the unit that rolls back': async () => {
    await addOurs('before')
    await undone(() =>
      ours.execute('note', async () => {
        await OursNote.bulkCreate([{ text: 'gone' }, { text: 'gone too' }])
        await OursNote.increment('id', { by: 100, where: { text: 'before' } })
        await OursNote.update({ text: 'changed' }, { where: { text: 'before' } })
        await OursNote.destroy({ where: {} })
        throw rollBack
      }),
    )
    return { ours: ['before'], other: [] }
  },
}

async function rowsOf(Note, sequelize) {
  const rows = await sequelize.query('SELECT text FROM notes ORDER BY text COLLATE "C"', { type: 'SELECT' })
  return rows.map(({ text }) => text)
}

const orders = {
  async begin() {
    await ours.sync({ force: true })
    await other.sync({ force: true })
    return Object.keys(scenarios)
  },
  async run({ name }) {
    await OursNote.destroy({ where: {} })
    await OtherNote.destroy({ where: {} })
    const expected = await scenarios[name]()
    return { expected, found: { ours: await rowsOf(OursNote, ours), other: await rowsOf(OtherNote, other) } }
  },
  async close() {
    await ours.close()
    await other.close()
  },
}

process.on('message', async ({ id, name, given }) => {
  try {
    process.send({ id, result: await orders[name](given) })
  } catch (error) {
    process.send({ id, error: `${error?.stack}` })
  }
})
