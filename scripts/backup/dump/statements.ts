import { kitSettings, settingsStatement } from "../../connection/session-settings.ts";
import { beginSnapshot, countRows, migrationsQuery, propertiesQuery, tablesQuery } from "./content.ts";

/**
 * Returns the statements with which a program in the stack's image describes a dump. They are those with which a loaded
 * copy is compared. In `rows`, `%TABLE%` stands for the name of a table.
 */
export function dumpStatements(): Record<string, string> {
  return {
    settings: settingsStatement(kitSettings),
    begin: beginSnapshot,
    tables: tablesQuery,
    properties: propertiesQuery,
    migrations: migrationsQuery,
    rows: `select ${countRows("%TABLE%")}`,
  };
}
