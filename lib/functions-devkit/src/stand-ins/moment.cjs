const { lazyFunction } = require('./lazy.cjs')

// In place of moment, which writes a date into a statement: most statements have none.
module.exports = lazyFunction(() => require('moment'))
