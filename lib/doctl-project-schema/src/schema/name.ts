import { z } from 'zod'
import { missingOr, refuse } from '../refusals.ts'

/** What Apache OpenWhisk accepts as the name of a package, an action or a trigger, without its spaces. */
const ENTITY_NAME = /^\w[\w@.-]{0,255}$/

/** The name of a package, a function or a trigger. */
export const nameSchema = z.string({ error: missingOr('name-missing', 'name-type') }).regex(ENTITY_NAME, { error: refuse('name-syntax') })
