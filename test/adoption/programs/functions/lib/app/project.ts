import type { Project } from 'functions-devkit'
import { migrations } from './migrations/index.ts'

export const project: Project = { migrations }
