import { Sequelize } from 'sequelize'
import { callsOn, options } from './stock-model.ts'

// The recipe of Sequelize's manual for functions: the pool is opened anew on entry, and closed before the answer.

let sequelize: Sequelize | undefined
let calls: ReturnType<typeof callsOn> | undefined

function load(): void {
  sequelize = new Sequelize(process.env.DATABASE_URL ?? '', options({ max: 2, min: 0, idle: 0, acquire: 3_000, evict: 10_000 }))
  calls = callsOn(sequelize)
}

export async function call(kind: 'read' | 'write'): Promise<void> {
  if (sequelize === undefined) load()
  else {
    const { connectionManager } = sequelize as unknown as { connectionManager: { initPools(): void; getConnection?: unknown } }
    connectionManager.initPools()
    // close() has put one that refuses over the method.
    if (Object.hasOwn(connectionManager, 'getConnection')) delete connectionManager.getConnection
  }
  try {
    await calls?.(kind)
  } finally {
    await (sequelize as unknown as { connectionManager: { close(): Promise<void> } }).connectionManager.close()
  }
}
