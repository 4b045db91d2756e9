type Outputs = Readonly<Record<string, unknown>>;

/** Switches of CREATE ROLE that are off by default. Only those that are on are listed. */
const roleSwitches = [
  ["superuser", "SUPERUSER"],
  ["createDatabase", "CREATEDB"],
  ["createRole", "CREATEROLE"],
  ["replication", "REPLICATION"],
  ["bypassRowLevelSecurity", "BYPASSRLS"],
] as const;

/**
 * Lists owner and attributes of an object that existed on the server before it was adopted, in PostgreSQL's words.
 * Defaults are left out.
 *
 * @param type type token: `postgresql:index/role:Role`
 * @param outputs the object as the provider found it
 */
export function attributesFound(type: string, outputs: Outputs): string[] {
  if (type === "postgresql:index/role:Role") return roleAttributes(outputs);
  if (type === "postgresql:index/database:Database") return databaseAttributes(outputs);
  return [];
}

function roleAttributes(role: Outputs): string[] {
  return [
    role.login === true ? "LOGIN" : "NOLOGIN",
    ...roleSwitches.filter(([key]) => role[key] === true).map(([, keyword]) => keyword),
    ...(role.inherit === false ? ["NOINHERIT"] : []),
    ...connectionLimit(role),
    ...textual(role, "validUntil", "valid until", "infinity"),
    ...listed(role, "roles", "member of"),
    ...textual(role, "assumeRole", "acts as"),
    ...listed(role, "searchPaths", "search_path"),
    ...milliseconds(role, "statementTimeout", "statement_timeout"),
    ...milliseconds(role, "idleInTransactionSessionTimeout", "idle_in_transaction_session_timeout"),
  ];
}

function databaseAttributes(database: Outputs): string[] {
  return [
    ...textual(database, "owner", "owner"),
    ...textual(database, "encoding", "encoding"),
    ...textual(database, "lcCollate", "collation"),
    ...textual(database, "tablespaceName", "tablespace", "pg_default"),
    ...connectionLimit(database),
    ...(database.allowConnections === false ? ["no connections allowed"] : []),
    ...(database.isTemplate === true ? ["template"] : []),
  ];
}

function connectionLimit({ connectionLimit: limit }: Outputs): string[] {
  return typeof limit === "number" && limit !== -1 ? [`connection limit ${limit}`] : [];
}

function textual(outputs: Outputs, key: string, name: string, usual = ""): string[] {
  const value = outputs[key];
  return typeof value === "string" && value !== "" && value !== usual ? [`${name} ${value}`] : [];
}

function listed(outputs: Outputs, key: string, name: string): string[] {
  const value = outputs[key];
  return Array.isArray(value) && value.length > 0 ? [`${name} ${value.join(", ")}`] : [];
}

function milliseconds(outputs: Outputs, key: string, name: string): string[] {
  const value = outputs[key];
  return typeof value === "number" && value > 0 ? [`${name} ${value} ms`] : [];
}
