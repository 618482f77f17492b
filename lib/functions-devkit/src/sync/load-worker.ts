import { parentPort } from 'node:worker_threads'
import { loadFunction } from '../cli/functions.ts'
import type { FunctionFacts, LoadRequest } from './load-functions.ts'

// Loads the sources of functions, one after the other, in a thread that a source may end.

parentPort?.on('message', ({ application, name }: LoadRequest) => {
  void loadFunction(application, name).then(({ main, mistake }) => {
    const facts: FunctionFacts =
      main === undefined
        ? { name, mistake }
        : // A definition may hold anything: what cannot be cloned, such as a function in a schedule's body, becomes what JSON makes of it.
          (JSON.parse(JSON.stringify({ name, deployment: main.deployment, documentation: main.documentation })) as FunctionFacts)
    parentPort?.postMessage(facts)
  })
})
