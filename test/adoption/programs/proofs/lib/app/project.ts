import type { Project } from 'functions-devkit'
import { migrations } from './migrations/index.ts'
import { proofs } from './proofs.ts'

export const project: Project = { migrations, proofs }
