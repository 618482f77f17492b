// What loading takes without a bundle: Sequelize, pg, pino and zod from node_modules.
for (const name of ['sequelize', 'pg', 'pino', 'zod']) require(name)
exports.call = async () => undefined
