/** The roles of one database, by what they are for. */
export const databaseRoles = ["owner", "migrator", "app", "readonly"] as const;
export type DatabaseRole = (typeof databaseRoles)[number];

/** The roles of a server that look at every database or copy all of them. */
export const serverRoles = ["monitor", "backup"] as const;
export type ServerRole = (typeof serverRoles)[number];

/** The PostgreSQL role's name: `trading_app`. */
export function roleName(database: string, role: DatabaseRole): string {
  return `${database}_${role}`;
}
