import { BaseError, Sequelize } from 'sequelize'
import { CodedError } from '../../invocation/src/errors.ts'
import { makeResilient } from './resilient-sequelize.ts'

// Errors of `execute` are raised without Sequelize, so that code can know them before that is loaded; to an application
// they are Sequelize's errors like any other.
if (!(CodedError.prototype instanceof BaseError)) Object.setPrototypeOf(CodedError.prototype, BaseError.prototype)

/** Sequelize on a pool that is replaced when it dies or is closed: everything else stays Sequelize. */
export const ResilientSequelize = makeResilient(Sequelize)
export type ResilientSequelize = InstanceType<typeof ResilientSequelize>
