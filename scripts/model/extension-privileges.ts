import { type ExtensionGrant, extensionCatalog } from "./extension-catalog.ts";
import { roleName } from "./names.ts";
import { schema as migrationSchema } from "./privileges.ts";

/** Privileges of one role on objects of one extension. */
export interface ExtensionPrivilege {
  extension: string;
  role: string;
  on: ExtensionGrant["on"];
  privileges: readonly string[];
  /** Names of functions. Default: all objects of this kind that belong to the extension. */
  names?: readonly string[];
}

/**
 * Plans the privileges on the extensions of a database. If an extension has a schema of its own, the roles that use its
 * types and functions get USAGE there. The others are those of the catalog.
 */
export function planExtensionPrivileges(
  database: string,
  extensions: readonly { name: string; schema?: string | undefined }[],
): ExtensionPrivilege[] {
  return extensions.flatMap(({ name: extension, schema }) => {
    const grants = extensionCatalog[extension]?.grants ?? [];
    const isOpen = schema !== undefined && hasOwnSchema(schema) && !grants.some(({ on }) => on === "schema");
    return [
      ...(isOpen
        ? (["owner", "app", "readonly"] as const).map(
            (role): ExtensionPrivilege => ({
              extension,
              role: roleName(database, role),
              on: "schema",
              privileges: ["USAGE"],
            }),
          )
        : []),
      ...grants.map(({ to, ...grant }) => ({ extension, role: roleName(database, to), ...grant })),
    ];
  });
}

/** Returns true if a schema is declared for extensions: it is created for them, and not for migrations. */
export function hasOwnSchema(schema: string): boolean {
  return schema !== migrationSchema && schema !== "pg_catalog";
}
