const { lazyFunction } = require('./lazy.cjs')

// In place of moment-timezone: the same without its data of time zones, since dates are written in UTC.
module.exports = lazyFunction(() => require('moment-timezone/moment-timezone.js'))
