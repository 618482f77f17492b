/** The error for anything that is given in place of an instance of ResilientSequelize. */
export function notResilient(): TypeError {
  return new TypeError(
    'This is no instance of ResilientSequelize: create it with `new ResilientSequelize(url, options)` of the installed resilient-sequelize, not with `new Sequelize`.',
  )
}
