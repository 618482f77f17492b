const { lazyMembers } = require('./lazy.cjs')

// In place of semver's index, which loads the arithmetic of ranges too: the same functions one by one.
module.exports = lazyMembers(
  {},
  {
    coerce: () => require('semver/functions/coerce'),
    gte: () => require('semver/functions/gte'),
    lt: () => require('semver/functions/lt'),
    valid: () => require('semver/functions/valid'),
  },
  () => require('semver'),
)
