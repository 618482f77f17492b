export type { Application, Project } from './application.ts'
