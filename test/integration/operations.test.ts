import type { Models } from '../../lib/app/models/index.ts'
import { expect, it } from 'vitest'
import { createOperations } from '../../lib/database/operations.ts'
import { withService } from '../support/service.ts'

const user = (digit: number, values: object = {}) => ({
  id: `0192b7f0-0000-7000-8000-00000000000${digit}`,
  email: `${digit}@example.com`,
  name: 'A',
  externalId: null,
  ...values,
})

it('creates, finds, counts, changes, replaces and deletes, each as one operation', async () => {
  await withService(async ({ service }) => {
    const operations = createOperations(service)
    const created = await operations.create('User', user(1))
    expect(created.email).toBe('1@example.com')
    await operations.upsert('User', user(2))
    expect((await operations.upsert('User', user(2, { name: 'B' }))).name).toBe('B')
    expect((await operations.findByPk('User', created.id))?.email).toBe('1@example.com')
    expect(await operations.findByPk('User', user(9).id)).toBeNull()
    expect((await operations.findOne('User', { where: { name: 'B' } }))?.id).toBe(user(2).id)
    expect((await operations.findAll('User', { order: ['email'] })).map(row => row.email)).toEqual(['1@example.com', '2@example.com'])
    expect(await operations.update('User', { name: 'C' }, { where: { id: created.id } })).toBe(1)
    expect(await operations.count('User', { where: { name: 'C' } })).toBe(1)
    expect(await operations.query('names', 'SELECT name FROM users WHERE email = $email', { email: '1@example.com' })).toEqual([{ name: 'C' }])
    expect(await operations.destroy('User', { where: { name: ['B', 'C'] } })).toBe(2)
  })
})

it('reads in one trip, in a transaction that the server keeps read-only', async () => {
  await withService(async ({ proxy, service }) => {
    const operations = createOperations(service)
    await operations.findByPk('User', user(1).id)
    proxy.resetCounts()
    await operations.findByPk('User', user(1).id)
    expect(proxy.counts().roundTrips).toBe(1)
    await expect(operations.query('write', 'DELETE FROM users RETURNING id')).rejects.toMatchObject({ code: 'nested-operation' })
  })
})

it('finds by primary key what sequelize finds, as what sequelize makes of it', async () => {
  await withService(async ({ service }) => {
    const operations = createOperations(service)
    await operations.create('User', user(1, { externalId: 'usr_1' }))
    const own = await service.execute('own', ({ models }) => models.User.findByPk(user(1).id), { mode: 'read' })
    const found = await operations.findByPk('User', user(1).id)
    expect(found?.toJSON()).toEqual(own?.toJSON())
    expect(found?.isNewRecord).toBe(false)
    expect(found?.changed()).toBe(false)
    const some = await operations.findByPk('User', user(1).id, { attributes: ['email'] })
    expect(some?.toJSON()).toEqual({ email: '1@example.com' })
    await expect(operations.findByPk('User', 'no id')).rejects.toMatchObject({ name: 'SequelizeDatabaseError' })
    expect(await operations.findByPk('User', null as never)).toBeNull()
    await service.execute('save', async ({ models }) => {
      const row = await models.User.findByPk(user(1).id)
      await row?.update({ name: 'B' })
    })
    expect((await operations.findByPk('User', user(1).id))?.name).toBe('B')
  })
})

it.each(['beforeFind', 'afterFind'] as const)('finds by primary key with the hooks that its model has (%s)', async hook => {
  await withService(async ({ service, manager }) => {
    const operations = createOperations(service)
    await operations.create('User', user(1))
    const { User } = (await manager.currentGeneration()).sequelize.models as unknown as Models
    let calls = 0
    User.addHook(hook, () => void (calls += 1))
    expect((await operations.findByPk('User', user(1).id))?.email).toBe('1@example.com')
    expect(calls).toBe(1)
  })
})

it('finds by primary key within the scope that its model has', async () => {
  await withService(async ({ service, manager }) => {
    const operations = createOperations(service)
    await operations.create('User', user(1))
    const { User } = (await manager.currentGeneration()).sequelize.models as unknown as Models
    User.addScope('defaultScope', { where: { name: 'nobody' } }, { override: true })
    expect(await operations.findByPk('User', user(1).id)).toBeNull()
  })
})

it('names the operation in the log', async () => {
  await withService(async ({ proxy, service, lines }) => {
    const operations = createOperations(service)
    proxy.addFault({ on: 'statement', matches: /FROM "users"/, when: 'before', action: 'reset' })
    await operations.count('User', {})
    expect(lines).toContainEqual(expect.objectContaining({ event: 'database.operation.replayed', operation: 'User.count' }))
  })
})
