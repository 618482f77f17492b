const { lazyObject } = require('./lazy.cjs')

// In place of wkx, until a geometry comes along.
module.exports = lazyObject(() => require('wkx'))
