/**
 * Prefix of the entry in a resource's `pending` if the database could not be queried, for example because the server is
 * stopped. The list is then never empty.
 */
export const unknownPending = "pending unknown, ";
