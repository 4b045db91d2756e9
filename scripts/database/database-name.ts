/** What a database can be called. The longest of its roles' suffixes, `_migrator`, has to fit into PostgreSQL's 63 bytes with it. */
export const databaseNamePattern = /^[a-z][a-z0-9_]{0,47}$/;

/** The same in words. */
export const databaseNameRule = "a letter, then letters, digits and _, lower case, 48 characters at most";

/** Databases that a cluster comes with. */
export const systemDatabases: readonly string[] = ["postgres", "template0", "template1"];
