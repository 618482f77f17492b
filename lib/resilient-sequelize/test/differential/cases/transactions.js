import { setTimeout } from 'node:timers/promises'
import { makeBlog } from '../samples/blog.js'

const THREE = { pool: { max: 3 } }

/** A case with a table of notes, on an instance with room for transactions side by side. */
const onNotes = work => async (Sequelize, _, DataTypes, tools) => {
  const sequelize = tools.connect(THREE)
  const Note = sequelize.define('note', { text: { type: DataTypes.STRING, unique: true } }, { timestamps: false })
  await Note.sync()
  const add = (text, transaction) => Note.create({ text }, { transaction })
  const texts = async () => (await Note.findAll({ order: ['text'] })).map(({ text }) => text)
  return work({ Note, add, texts, Sequelize, sequelize, DataTypes, tools })
}

const failing = (tools, promise) => tools.errorOf(promise)

export const cases = {
  'commits a managed transaction': onNotes(async ({ add, texts, sequelize }) => [
    await sequelize.transaction(async transaction => {
      await add('a', transaction)
      return 'result'
    }),
    await texts(),
  ]),
  'rolls a managed transaction back': onNotes(async ({ add, texts, sequelize, tools }) => [
    await failing(
      tools,
      sequelize.transaction(async transaction => {
        await add('a', transaction)
        throw new Error('of the callback')
      }),
    ),
    await texts(),
  ]),
  'rolls back what a database error ended': onNotes(async ({ add, texts, sequelize, tools }) => [
    await failing(
      tools,
      sequelize.transaction(async transaction => {
        await add('a', transaction)
        await add('a', transaction)
      }),
    ),
    await texts(),
  ]),
  'rolls back when the callback throws at once': onNotes(async ({ texts, sequelize, tools }) => [
    await failing(
      tools,
      sequelize.transaction(() => {
        throw new TypeError('at once')
      }),
    ),
    await failing(
      tools,
      sequelize.transaction(() => Promise.reject('a text')),
    ).then(String),
    await sequelize.transaction(() => 'no promise'),
    await texts(),
  ]),
  'commits an unmanaged transaction': onNotes(async ({ add, texts, sequelize }) => {
    const transaction = await sequelize.transaction()
    await add('a', transaction)
    const before = await texts()
    const committed = await transaction.commit()
    return [before, committed, transaction, await texts()]
  }),
  'rolls an unmanaged transaction back': onNotes(async ({ add, texts, sequelize }) => {
    const transaction = await sequelize.transaction()
    await add('a', transaction)
    return [await transaction.rollback(), transaction, await texts()]
  }),
  'refuses to end a transaction twice': onNotes(async ({ add, sequelize, tools }) => {
    const committed = await sequelize.transaction()
    await committed.commit()
    const rolledBack = await sequelize.transaction()
    await rolledBack.rollback()
    return [
      await failing(tools, committed.commit()),
      await failing(tools, committed.rollback()),
      await failing(tools, rolledBack.rollback()),
      await failing(tools, rolledBack.commit()),
      await failing(tools, add('a', committed)),
      await failing(tools, add('a', rolledBack)),
      await failing(tools, sequelize.query('SELECT 1', { transaction: rolledBack })),
    ]
  }),
  'refuses to end a managed transaction inside': onNotes(async ({ add, texts, sequelize, tools }) => [
    await failing(
      tools,
      sequelize.transaction(async transaction => {
        await add('a', transaction)
        await transaction.commit()
      }),
    ),
    await failing(
      tools,
      sequelize.transaction(async transaction => {
        await add('b', transaction)
        await transaction.rollback()
      }),
    ),
    await texts(),
  ]),
  'keeps a transaction apart until it commits': onNotes(async ({ add, texts, sequelize }) => {
    const one = await sequelize.transaction()
    const two = await sequelize.transaction()
    await add('one', one)
    await add('two', two)
    const outside = await texts()
    await two.commit()
    const afterTwo = await texts()
    await one.rollback()
    return [outside, afterTwo, await texts()]
  }),
  'sets isolation levels': onNotes(async ({ sequelize, Sequelize }) => {
    const seen = []
    for (const isolationLevel of Object.values(Sequelize.Transaction.ISOLATION_LEVELS))
      seen.push(
        await sequelize.transaction({ isolationLevel }, transaction => sequelize.query('SHOW transaction_isolation', { transaction, plain: true })),
      )
    return seen
  }),
  'sets the isolation level of an instance': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ isolationLevel: Sequelize.Transaction.ISOLATION_LEVELS.SERIALIZABLE })
    return sequelize.transaction(transaction => sequelize.query('SHOW transaction_isolation', { transaction, plain: true }))
  },
  'refuses writes in a read-only transaction': onNotes(async ({ add, sequelize, tools }) =>
    failing(
      tools,
      sequelize.transaction({ readOnly: true }, async transaction => {
        await sequelize.query('SET TRANSACTION READ ONLY', { transaction })
        await add('a', transaction)
      }),
    ),
  ),
  'keeps what a repeatable read saw': onNotes(async ({ add, sequelize, Sequelize, tools }) =>
    sequelize.transaction({ isolationLevel: Sequelize.Transaction.ISOLATION_LEVELS.REPEATABLE_READ }, async transaction => {
      const count = () => sequelize.query('SELECT count(*)::int AS n FROM notes', { transaction, plain: true })
      const before = await count()
      await tools.plain("INSERT INTO notes (text) VALUES ('between')")
      await add('own', transaction)
      return [before, await count()]
    }),
  ),
  'reports a serialization failure': onNotes(async ({ add, sequelize, Sequelize, tools }) => {
    const isolationLevel = Sequelize.Transaction.ISOLATION_LEVELS.SERIALIZABLE
    const [one, two] = [await sequelize.transaction({ isolationLevel }), await sequelize.transaction({ isolationLevel })]
    for (const [index, transaction] of [one, two].entries()) {
      await sequelize.query('SELECT count(*) FROM notes', { transaction })
      await add(`of ${index}`, transaction)
    }
    await one.commit()
    const error = await failing(tools, two.commit())
    return [error.original.code, error.name, two.finished]
  }),
  'nests a transaction that commits': onNotes(async ({ add, texts, sequelize }) => {
    await sequelize.transaction(async outer => {
      await add('outer', outer)
      await sequelize.transaction({ transaction: outer }, inner => add('inner', inner))
    })
    return texts()
  }),
  'nests a transaction that rolls back': onNotes(async ({ add, texts, sequelize, tools }) => {
    await sequelize.transaction(async outer => {
      await add('outer', outer)
      await failing(
        tools,
        sequelize.transaction({ transaction: outer }, async inner => {
          await add('inner', inner)
          throw new Error('inner')
        }),
      )
      await add('after', outer)
    })
    return texts()
  }),
  'nests a transaction that a database error ends': onNotes(async ({ add, texts, sequelize, tools }) => {
    const errors = []
    await sequelize.transaction(async outer => {
      await add('outer', outer)
      errors.push(
        await failing(
          tools,
          sequelize.transaction({ transaction: outer }, inner => add('outer', inner)),
        ),
      )
      await add('after', outer)
    })
    return [errors, await texts()]
  }),
  'rolls nested transactions back with the outer one': onNotes(async ({ add, texts, sequelize, tools }) => {
    const error = await failing(
      tools,
      sequelize.transaction(async outer => {
        await sequelize.transaction({ transaction: outer }, inner => add('inner', inner))
        throw new Error('outer')
      }),
    )
    return [error, await texts()]
  }),
  'nests three levels without callbacks': onNotes(async ({ add, texts, sequelize }) => {
    const one = await sequelize.transaction()
    const two = await sequelize.transaction({ transaction: one })
    const three = await sequelize.transaction({ transaction: two })
    await add('three', three)
    await three.rollback()
    await add('two', two)
    await two.commit()
    await add('one', one)
    await one.commit()
    return [await texts(), one.id === two.id, three.name.replace(three.id, ''), two.finished, three.finished]
  }),
  'nests two transactions side by side': onNotes(async ({ add, texts, sequelize, tools }) => {
    await sequelize.transaction(async outer => {
      const first = await sequelize.transaction({ transaction: outer })
      await add('first', first)
      await first.rollback()
      const second = await sequelize.transaction({ transaction: outer })
      await add('second', second)
      await second.commit()
    })
    tools.note('done')
    return texts()
  }),
  'goes on after a savepoint by hand': onNotes(async ({ add, texts, sequelize, tools }) => {
    await sequelize.transaction(async transaction => {
      await add('a', transaction)
      await sequelize.query('SAVEPOINT here', { transaction })
      tools.note('failed', await failing(tools, add('a', transaction)))
      await sequelize.query('ROLLBACK TO SAVEPOINT here', { transaction })
      await add('b', transaction)
    })
    return texts()
  }),
  'calls afterCommit after a commit alone': onNotes(async ({ add, sequelize, tools }) => {
    await sequelize.transaction(async transaction => {
      transaction.afterCommit(given => tools.note('committed', given === transaction, given.finished))
      transaction.afterCommit(async () => {
        await setTimeout(2)
        tools.note('second')
      })
      await add('a', transaction)
      tools.note('end of the callback')
    })
    tools.note('resolved')
    await failing(
      tools,
      sequelize.transaction(async transaction => {
        transaction.afterCommit(() => tools.note('never'))
        throw new Error('back')
      }),
    )
    return tools.errorOf(() => sequelize.transaction(transaction => transaction.afterCommit('no function')))
  }),
  'rejects with what afterCommit throws': onNotes(async ({ add, texts, sequelize, tools }) => [
    await failing(
      tools,
      sequelize.transaction(async transaction => {
        await add('a', transaction)
        transaction.afterCommit(() => {
          throw new Error('of afterCommit')
        })
      }),
    ),
    await texts(),
  ]),
  'writes in afterCommit': onNotes(async ({ add, texts, sequelize }) => {
    await sequelize.transaction(async transaction => {
      await add('a', transaction)
      transaction.afterCommit(() => add('after'))
    })
    return texts()
  }),
  'calls afterCommit of an unmanaged transaction': onNotes(async ({ sequelize, tools }) => {
    const transaction = await sequelize.transaction()
    transaction.afterCommit(() => tools.note('committed'))
    await transaction.commit()
    tools.note('resolved')
  }),
  'runs statements of a transaction at once': onNotes(async ({ add, texts, sequelize, tools }) => {
    tools.ignoreLogOrder()
    await sequelize.transaction(transaction => Promise.all(['a', 'b', 'c', 'd'].map(text => add(text, transaction))))
    return texts()
  }),
  'runs transactions at once': onNotes(async ({ Note, texts, sequelize, tools }) => {
    tools.ignoreLogOrder()
    const ids = [1, 2, 3, 4, 5, 6, 7, 8]
    const results = await Promise.all(ids.map(id => sequelize.transaction(transaction => Note.create({ id, text: `n${id}` }, { transaction }))))
    return [results, await texts()]
  }),
  'sees only its own rows in the transaction': onNotes(async ({ add, Note, sequelize }) =>
    sequelize.transaction(async transaction => {
      await add('mine', transaction)
      return [
        await Note.count({ transaction }),
        await Note.count(),
        await Note.findOne({ where: { text: 'mine' } }),
        await Note.findOne({ where: { text: 'mine' }, transaction }),
      ]
    }),
  ),
  'defers constraints until the commit': async (Sequelize, sequelize, DataTypes, tools) => {
    const { Deferrable } = Sequelize
    const Parent = sequelize.define('parent', {}, { timestamps: false })
    const Child = sequelize.define(
      'child',
      { parentId: { type: DataTypes.INTEGER, references: { model: Parent, key: 'id', deferrable: Deferrable.INITIALLY_DEFERRED } } },
      { timestamps: false },
    )
    await Parent.sync()
    await Child.sync()
    await sequelize.transaction(async transaction => {
      await Child.create({ parentId: 1 }, { transaction })
      await Parent.create({ id: 1 }, { transaction })
    })
    const atCommit = await failing(
      tools,
      sequelize.transaction(transaction => Child.create({ parentId: 99 }, { transaction })),
    )
    const immediate = await failing(
      tools,
      sequelize.transaction({ deferrable: Deferrable.SET_IMMEDIATE() }, transaction => Child.create({ parentId: 98 }, { transaction })),
    )
    await sequelize.transaction({ deferrable: Deferrable.SET_DEFERRED() }, async transaction => {
      await Child.create({ parentId: 2 }, { transaction })
      await Parent.create({ id: 2 }, { transaction })
    })
    return [atCommit, immediate, await Child.count()]
  },
  'does not call afterCommit of a refused COMMIT twice': onNotes(async ({ add, texts, sequelize }) => {
    let calls = 0
    const transaction = await sequelize.transaction()
    transaction.afterCommit(() => (calls += 1))
    await add('a', transaction)
    await transaction.commit()
    return [calls, await texts()]
  }),
  'keeps settings local to a transaction': onNotes(async ({ sequelize }) => {
    const inside = await sequelize.transaction(async transaction => {
      await sequelize.query("SET LOCAL application_name TO 'inside'", { transaction })
      return sequelize.query('SHOW application_name', { transaction, plain: true })
    })
    return [inside, await sequelize.transaction(transaction => sequelize.query('SHOW application_name', { transaction, plain: true }))]
  }),
  'uses a temporary table of a transaction': onNotes(({ sequelize }) =>
    sequelize.transaction(async transaction => {
      await sequelize.query('CREATE TEMPORARY TABLE scratch (n int) ON COMMIT DROP', { transaction })
      await sequelize.query('INSERT INTO scratch VALUES (1), (2)', { transaction })
      return sequelize.query('SELECT * FROM scratch', { transaction, type: 'SELECT' })
    }),
  ),
  'reads a cursor of SQL in a transaction': onNotes(({ sequelize }) =>
    sequelize.transaction(async transaction => {
      await sequelize.query('DECLARE numbers CURSOR FOR SELECT generate_series(1, 5) AS n', { transaction })
      return [
        await sequelize.query('FETCH 2 FROM numbers', { transaction }),
        await sequelize.query('FETCH 2 FROM numbers', { transaction, type: 'SELECT' }),
        await sequelize.query('CLOSE numbers', { transaction }),
      ]
    }),
  ),
  'locks rows until the transaction ends': onNotes(async ({ add, Note, sequelize, tools }) => {
    await add('a')
    const other = await tools.session()
    const seen = await sequelize.transaction(async transaction => {
      await Note.findOne({ where: { text: 'a' }, lock: transaction.LOCK.UPDATE, transaction })
      return other.query('SELECT * FROM notes FOR UPDATE SKIP LOCKED')
    })
    return [seen.rowCount, (await other.query('SELECT text FROM notes FOR UPDATE SKIP LOCKED')).rows]
  }),
  'skips locked rows': onNotes(async ({ add, Note, sequelize, tools }) => {
    await add('a')
    await add('b')
    const other = await tools.session()
    await other.query("BEGIN; SELECT * FROM notes WHERE text = 'a' FOR UPDATE")
    const found = await sequelize.transaction(transaction => Note.findAll({ lock: true, skipLocked: true, transaction, order: ['id'] }))
    await other.query('ROLLBACK')
    return found
  }),
  'fails at a locked row with NOWAIT': onNotes(async ({ add, sequelize, tools }) => {
    await add('a')
    const other = await tools.session()
    await other.query('BEGIN; SELECT * FROM notes FOR UPDATE')
    const errors = [
      await failing(tools, sequelize.query('SELECT * FROM notes FOR UPDATE NOWAIT')),
      await failing(
        tools,
        sequelize.transaction(transaction => sequelize.query('SELECT * FROM notes FOR SHARE NOWAIT', { transaction })),
      ),
    ]
    await other.query('ROLLBACK')
    return errors
  }),
  'waits for a locked row': onNotes(async ({ add, Note, sequelize, tools }) => {
    await add('a')
    const other = await tools.session()
    await other.query("BEGIN; UPDATE notes SET text = 'changed'")
    const waiting = sequelize.transaction(transaction => Note.findOne({ lock: true, transaction }))
    await tools.lockAwaited()
    await other.query('COMMIT')
    return waiting
  }),
  'waits for a locked row outside of a transaction': onNotes(async ({ add, Note, tools }) => {
    await add('a')
    const other = await tools.session()
    await other.query("BEGIN; UPDATE notes SET text = 'changed'")
    const waiting = Note.update({ text: 'last' }, { where: { id: 1 } })
    await tools.lockAwaited()
    await other.query('COMMIT')
    return [await waiting, await Note.findAll()]
  }),
  'locks a table': onNotes(({ add, sequelize }) =>
    sequelize.transaction(async transaction => {
      await sequelize.query('LOCK TABLE notes IN EXCLUSIVE MODE', { transaction })
      await add('a', transaction)
      return sequelize.query("SELECT mode FROM pg_locks WHERE relation = 'notes'::regclass AND mode = 'ExclusiveLock'", {
        transaction,
        type: 'SELECT',
      })
    }),
  ),
  'takes advisory locks of a transaction': onNotes(({ sequelize }) =>
    sequelize.transaction(async transaction => [
      await sequelize.query('SELECT pg_advisory_xact_lock(5)', { transaction, type: 'SELECT' }),
      await sequelize.query('SELECT pg_try_advisory_xact_lock(5) AS again', { transaction, plain: true }),
    ]),
  ),
  'passes a transaction to every kind of call': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect(THREE)
    const { User, Post, Tag } = await makeBlog(sequelize, DataTypes)
    const inside = await sequelize.transaction(async transaction => {
      const user = await User.create({ id: 10, name: 'Eve' }, { transaction })
      const post = await user.createPost({ id: 10, title: 'x' }, { transaction })
      await post.addTag(await Tag.findByPk(1, { transaction }), { transaction })
      await User.bulkCreate([{ id: 11, name: 'Fay' }], { transaction })
      await User.update({ age: 1 }, { where: { id: 11 }, transaction })
      await post.increment('score', { by: 2, transaction })
      await post.reload({ transaction })
      await User.findOrCreate({ where: { name: 'Gus' }, defaults: { id: 12 }, transaction })
      await User.upsert({ id: 11, name: 'Hal' }, { transaction })
      await User.destroy({ where: { id: 12 }, transaction })
      return [
        post,
        await User.count({ transaction }),
        await User.findAll({ where: { id: [10, 11] }, include: [{ model: Post, as: 'posts' }], order: ['id'], transaction }),
      ]
    })
    return [inside, await User.count()]
  },
  'reports errors of statements at once': onNotes(async ({ texts, sequelize, tools }) => {
    const run = (transaction, text) => sequelize.query(text, { transaction, type: 'SELECT' })
    const seen = []
    const error = await failing(
      tools,
      sequelize.transaction(async transaction => {
        seen.push(
          await Promise.allSettled(
            ['SELECT 1 AS a', 'SELECT nothing', "INSERT INTO notes (text) VALUES ('x')", 'SELECT 2'].map(text => run(transaction, text)),
          ),
        )
        throw new Error('back')
      }),
    )
    return [seen, error, await texts()]
  }),
  'commits behind a statement that still runs': onNotes(async ({ add, texts, sequelize, tools }) => {
    await add('a')
    const ended = []
    for (const end of ['commit', 'rollback']) {
      const other = await tools.session()
      await other.query('BEGIN; LOCK TABLE notes IN EXCLUSIVE MODE')
      const transaction = await sequelize.transaction()
      const running = add(`behind ${end}`, transaction)
      await tools.lockAwaited()
      const done = transaction[end]()
      await other.query('COMMIT')
      ended.push(await Promise.allSettled([running, done]))
    }
    return [ended, await texts()]
  }),
  'ends a transaction by raw statements': onNotes(async ({ add, texts, sequelize }) => {
    await sequelize.transaction(async transaction => {
      await add('a', transaction)
      await sequelize.query('COMMIT', { transaction })
    })
    await sequelize.transaction(async transaction => {
      await add('b', transaction)
      await sequelize.query('ROLLBACK', { transaction })
      await add('c', transaction)
    })
    return texts()
  }),
  'sets its isolation behind other settings': onNotes(({ sequelize }) =>
    sequelize.transaction(async transaction => {
      await sequelize.query("SET LOCAL statement_timeout = '5s'", { transaction })
      await sequelize.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE', { transaction })
      return sequelize.query("SELECT current_setting('transaction_isolation') AS level, current_setting('transaction_read_only') AS ro", {
        transaction,
        plain: true,
      })
    }),
  ),
  'describes a transaction': onNotes(async ({ sequelize, Sequelize }) => {
    const transaction = await sequelize.transaction({ type: 'IMMEDIATE' })
    const seen = [
      transaction instanceof Sequelize.Transaction,
      transaction.constructor.name,
      typeof transaction.id,
      transaction.name === transaction.id,
      transaction.options,
      transaction.finished,
      transaction.parent,
      transaction.LOCK,
      transaction.sequelize === sequelize,
      Object.keys(transaction).sort(),
      Sequelize.Transaction.TYPES,
    ]
    await transaction.rollback()
    return seen
  }),
  'leaves a raw BEGIN to its session': {
    only: { route: 'direct', why: 'a pooler may lend each statement another session' },
    run: async (Sequelize, _, DataTypes, tools) => {
      const sequelize = tools.connect({ pool: { max: 1 } })
      await sequelize.query('CREATE TABLE notes (text text)')
      await sequelize.query('BEGIN')
      await sequelize.query("INSERT INTO notes VALUES ('a')")
      const outside = await tools.plain('SELECT * FROM notes')
      await sequelize.query('COMMIT')
      await sequelize.query('BEGIN')
      await sequelize.query("INSERT INTO notes VALUES ('b')")
      await sequelize.query('ROLLBACK')
      return [outside, await sequelize.query('SELECT * FROM notes')]
    },
  },
}
