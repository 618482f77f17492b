const { lazyMembers } = require('./lazy.cjs')

// What the part of sequelize begins with: sequelize, once a member is asked for. Whoever waits for something meanwhile loads
// it piece by piece before that, each with what has not been loaded yet, in some milliseconds.
const whole = () => require('sequelize')
const members = ['Sequelize', 'DataTypes', 'Op', 'Transaction', 'Model']
const pieces = [
  () => require('sequelize/lib/errors/index'),
  () => require('sequelize/lib/utils/logger'),
  () => require('sequelize/lib/data-types'),
  () => require('sequelize/lib/utils'),
  () => require('sequelize/lib/model'),
  whole,
  () => require('sequelize/lib/dialects/postgres/data-types'),
  () => require('sequelize/lib/dialects/abstract/query-generator'),
  () => require('sequelize/lib/dialects/postgres/query-generator'),
  () => require('sequelize/lib/dialects/postgres/query'),
  () => require('sequelize/lib/dialects/postgres/index'),
]
// Whoever imports a package asks whether it is a promise, or a module; that is no use of it.
const asked = { then: undefined, __esModule: undefined }
module.exports = lazyMembers({ ...asked, pieces }, Object.fromEntries(members.map(name => [name, () => whole()[name]])), whole)
