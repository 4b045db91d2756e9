/**
 * A setting that is there in the transaction that set it and nowhere else: what is sent along with a file, before anybody knows how it ended, asks by it
 * whether the file is still in the transaction that was begun for it.
 */
export const markTransaction = "set local pgroundwork.transaction = 'marked'";

/** A condition in SQL: this is the marked transaction. */
export const inMarkedTransaction = "current_setting('pgroundwork.transaction', true) = 'marked'";
