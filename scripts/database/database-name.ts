/** What a database can be called. The longest of its roles' suffixes, `_migrator`, has to fit into PostgreSQL's 63 bytes with it. */
export const databaseNamePattern = /^[a-z][a-z0-9_]{0,47}$/;

/** The same in words. */
export const databaseNameRule = "a letter, then letters, digits and _, lower case, 48 characters at most";

/** Databases that a cluster comes with. */
const systemDatabases: readonly string[] = ["postgres", "template0", "template1"];

/** Folders of these names are left out of a repository, by the kit's own .gitignore: a database's files would never be committed. */
const ignoredFolders: readonly string[] = ["node_modules", "coverage"];

/** Why a name that has a database name's form cannot be one, completing "NAME …"; undefined: it can. */
export function reservedName(name: string): string | undefined {
  if (systemDatabases.includes(name)) return "is a database of PostgreSQL's own";
  if (name.startsWith("pg_")) return "begins with pg_, which PostgreSQL reserves for roles of its own";
  if (ignoredFolders.includes(name)) return "is a folder that Git is told to ignore: its files would not be committed";
  return undefined;
}
