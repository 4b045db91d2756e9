/** Formats of a dump: pg_dump's custom archive, a folder with a file for each table, or SQL. */
export const dumpFormats = ["custom", "directory", "sql"] as const;
export type DumpFormat = (typeof dumpFormats)[number];
