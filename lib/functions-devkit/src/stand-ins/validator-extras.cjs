const { lazyObject } = require('./lazy.cjs')

// In place of sequelize's validators, until a model asks for one.
const real = () => require('sequelize/lib/utils/validator-extras')
exports.validator = lazyObject(() => real().validator)
exports.extensions = lazyObject(() => real().extensions)
