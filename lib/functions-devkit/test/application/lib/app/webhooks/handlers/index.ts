import { alertRaised } from './alert-raised.ts'
import { smokePing } from './smoke-ping.ts'
import { transactionCompleted } from './transaction-completed.ts'

export const handlers = [alertRaised, smokePing, transactionCompleted]
