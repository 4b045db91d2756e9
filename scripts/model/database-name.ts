/**
 * Pattern of a database's name. With the longest suffix of its roles, `_migrator`, it must fit into PostgreSQL's 63
 * bytes.
 */
export const databaseNamePattern = /^[a-z][a-z0-9_]{0,47}$/;

/** The same rule in words. */
export const databaseNameRule = "a letter, then letters, digits and _, lower case, 48 characters at most";

/** Databases that every cluster has. */
const systemDatabases: readonly string[] = ["postgres", "template0", "template1"];

/** Folder names that the kit's own .gitignore excludes: the files of such a database would never be committed. */
const ignoredFolders: readonly string[] = ["node_modules", "coverage"];

/**
 * Returns the reason why a well-formed name cannot be a database's name, as the end of the sentence "NAME …"; undefined
 * if it can.
 */
export function reservedName(name: string): string | undefined {
  if (systemDatabases.includes(name)) return "is a database that PostgreSQL itself uses";
  if (name.startsWith("pg_")) return "starts with pg_, which PostgreSQL reserves for its own roles";
  if (ignoredFolders.includes(name)) return "is a folder that Git ignores: its files would not be committed";
  return undefined;
}
