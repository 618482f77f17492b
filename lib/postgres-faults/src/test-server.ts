/** The one PostgreSQL of a test run, as tests get it from `inject('postgres')`. */
export interface TestServer {
  host: string
  port: number
  user: string
  password: string
  /** PEM of the authority that signed the server's certificate. */
  authority: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    postgres: TestServer
  }
}
