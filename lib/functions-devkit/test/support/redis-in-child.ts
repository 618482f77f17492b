import { startRedis } from '../../src/server/redis/local-redis.ts'

/** Starts Redis in the folder and on the port given as arguments, reports its process id to the parent and waits to be killed. */
const [folder = '', port = ''] = process.argv.slice(2)
const redis = await startRedis({ folder, port: Number(port), password: 'secret' })
// A parent that is gone will not end this process any more.
process.on('disconnect', () => process.exit())
process.send?.(redis.pid)
