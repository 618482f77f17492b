/** Every state of a transaction. */
export const transactionStatuses = ['pending', 'completed', 'failed', 'refunded'] as const
export type TransactionStatus = (typeof transactionStatuses)[number]
