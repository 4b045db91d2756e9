import type { Client } from "pg";

/**
 * Limits that could end a statement, a transaction or a session of the kit. The order matters: the first ones could end
 * the statement that sets them.
 */
const limits = {
  // From version 17.
  transaction_timeout: "0",
  statement_timeout: "0",
  lock_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  // From version 14.
  idle_session_timeout: "0",
} as const;

/**
 * Formats in which the server writes values. The driver reads only ISO dates, and texts are compared across sessions.
 */
const outputFormats = {
  DateStyle: "ISO, MDY",
  IntervalStyle: "postgres",
  TimeZone: "UTC",
  bytea_output: "hex",
  extra_float_digits: "1",
} as const;

/** Formats in which the server writes names, and reads statements and arrays. */
const formats = {
  ...outputFormats,
  standard_conforming_strings: "on",
  quote_all_identifiers: "off",
  array_nulls: "on",
} as const;

/** Settings that affect the kit's own statements. */
const behaviour = {
  default_tablespace: "",
  default_table_access_method: "heap",
  default_transaction_isolation: "read committed",
  default_transaction_deferrable: "off",
  row_security: "on",
} as const;

/**
 * Session settings for the kit's own statements. They do not include the search path, because the kit qualifies its
 * objects with their schema.
 */
export const kitSettings: Readonly<Record<string, string>> = { ...limits, ...formats, ...behaviour };

/**
 * Settings for psql as the superuser over the socket of a server in a container, whatever that server's own settings
 * are.
 */
export const socketSettings: Readonly<Record<string, string>> = {
  ...kitSettings,
  search_path: "pg_catalog,pg_temp",
  role: "none",
  default_transaction_read_only: "off",
  // It only writes what the stack's state has, too. A missing synchronous standby must not keep it waiting.
  synchronous_commit: "local",
  // If it fails, the first line of its output is shown.
  client_min_messages: "error",
};

/** Settings of the kit that also apply to a user's file, because the server could otherwise end it. */
export const limitSettings: Readonly<Record<string, string>> = limits;

/** Statements that reset the output formats to those of the server, database and role, until the transaction ends. */
export const databaseOutputFormats = Object.keys(outputFormats)
  .map((name) => `set local ${name} to default`)
  .join("; ");

/** Names of the settings that apply to the kit's own statements only. A user's file runs with the server's values. */
export const ownSettingNames: readonly string[] = Object.keys({ ...formats, ...behaviour });

export interface SettingsScope {
  /** Sets them only for the current transaction. Default: for the session. */
  local?: boolean;
  /** Sets nothing unless this is the process id of the server session that runs the statement. */
  pid?: number;
}

/** Returns one statement that sets those settings of the list that the server has. Older servers lack some. */
export function settingsStatement(
  settings: Readonly<Record<string, string>>,
  { local = false, pid }: SettingsScope = {},
): string {
  // No name and no value contains a quote.
  const values = Object.entries(settings).map(([name, value]) => `('${name}', '${value}')`);
  const session = pid === undefined ? "" : ` and pg_catalog.pg_backend_pid() operator(pg_catalog.=) ${Number(pid)}`;
  return `select pg_catalog.count(pg_catalog.set_config(name, value, ${local})) from (values ${values.join(", ")}) as kit (name, value)
     where pg_catalog.current_setting(name, true) is not null${session}`;
}

/**
 * Formats settings as PGOPTIONS, for programs that connect without a pooler to a server of a known version. Does not
 * use `-c name=value`, because postgres_exporter reads every word of it as a pair.
 */
export function settingsOptions(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `--${name}=${value.replaceAll(/[\\\s]/g, "\\$&")}`)
    .join(" ");
}

/**
 * Sets the kit's settings on its own session. Behind a proxy that pools by transaction, nothing is set: the settings
 * would stay on a server session that an application gets next. Such a proxy is detected by the process id in its
 * greeting, which is not that of the server session.
 *
 * @param options.staysOurs true if the session belongs to the kit until it ends, even behind a proxy
 * @param options.settings settings to use instead of the kit's
 */
export async function setKitSettings(
  client: Client,
  { staysOurs = false, settings = kitSettings } = {},
): Promise<void> {
  // The driver stores the process id, but its types do not declare it.
  const { processID } = client as Client & { processID: number };
  await client.query(settingsStatement(settings, staysOurs ? {} : { pid: processID }));
}
