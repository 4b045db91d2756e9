/**
 * Statement that sets a value which exists only in its own transaction. Other statements are sent along with a file
 * before its outcome is known. They use this value to check if the file is still in the transaction that was started
 * for it.
 */
export const markTransaction = "set local pgroundwork.transaction = 'marked'";

/** SQL condition: true in the marked transaction. */
export const inMarkedTransaction = "current_setting('pgroundwork.transaction', true) = 'marked'";
