import { alertRaised } from './alert-raised.ts'
import { smokePing } from './smoke-ping.ts'
import { transactionCompleted, transactionFailed, transactionRefunded } from './transactions.ts'

export const handlers = [alertRaised, smokePing, transactionCompleted, transactionFailed, transactionRefunded]
