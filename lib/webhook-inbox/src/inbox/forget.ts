/** In SQL: what an event loses with the person it is about. The row, its id and its outcome stay, so that a redelivery is a duplicate. */
export const FORGET = 'body = NULL, headers = NULL, user_id = NULL, concerns = NULL, invalid_paths = NULL'
