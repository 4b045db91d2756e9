import type { Client } from "pg";
import type { DeclaredExtension } from "../databases/database-file.ts";
import type { LiveServer, LiveSetting } from "./live-server.ts";
import { NotTried } from "./request.ts";

/*
 * Copies objects of the live server, except its roles, to a scratch cluster: databases, extensions, tablespaces, stored
 * settings.
 */

/**
 * Creates the database with the live one's encoding and locale. If the locale is not available here, uses C.UTF-8 or C.
 *
 * @returns warnings
 */
export async function createDatabase(client: Client, { database }: LiveServer, owner: string): Promise<string[]> {
  const { name, encoding, collate, ctype, provider, locale } = database;
  if (name === "postgres") await client.query("drop database postgres");
  const literal = (value: string) => client.escapeLiteral(value);
  const withLocale = (lcCollate: string, lcCtype: string) => {
    const options = [`lc_collate ${literal(lcCollate)}`, `lc_ctype ${literal(lcCtype)}`];
    if (provider === "i" && locale !== null) options.push("locale_provider icu", `icu_locale ${literal(locale)}`);
    else if (provider === "b" && locale !== null)
      options.push("locale_provider builtin", `builtin_locale ${literal(locale)}`);
    else options.push("locale_provider libc");
    return options.join(" ");
  };
  const statement = (locales: string) =>
    `create database ${client.escapeIdentifier(name)} owner ${client.escapeIdentifier(owner)} template template0 encoding ${literal(encoding)} strategy file_copy ${locales}`;
  try {
    await client.query(statement(withLocale(collate, ctype)));
    return [];
  } catch (error) {
    const fallback = encoding === "UTF8" && process.platform !== "darwin" ? "C.UTF-8" : "C";
    await client.query(statement(withLocale(fallback, fallback))).catch(() => {
      throw error;
    });
    return [`tried with the locale ${fallback}, because the live database's locale ${collate} is not available here.`];
  }
}

/**
 * Creates an extension, and its schema if necessary.
 *
 * @returns the schema, if it was created
 */
export async function createExtension(
  client: Client,
  { name, schema }: Pick<DeclaredExtension, "name" | "schema">,
): Promise<string | undefined> {
  const id = (text: string) => client.escapeIdentifier(text);
  let made: string | undefined;
  if (schema !== undefined) {
    const { rowCount } = await client.query("select from pg_namespace where nspname = $1", [schema]);
    if (rowCount === 0) {
      await client.query(`create schema ${id(schema)}`);
      made = schema;
    }
  }
  const place = schema === undefined ? "" : ` schema ${id(schema)}`;
  await client.query(`create extension if not exists ${id(name)}${place} cascade`).catch((cause: unknown) => {
    throw new NotTried(`cannot create the extension ${name} in a scratch cluster: ${(cause as Error).message}`, {
      cause,
    });
  });
  return made;
}

/** Creates the extensions that the live database has and the scratch database lacks, if the cluster has them. */
export async function supplyMissingExtensions(
  client: Client,
  live: LiveServer,
  available: ReadonlySet<string>,
  supplied: Set<string>,
): Promise<boolean> {
  const { rows } = await client.query<{ name: string }>("select extname as name from pg_extension");
  const there = new Set(rows.map(({ name }) => name));
  const missing = live.extensions.filter(({ name }) => !there.has(name) && available.has(name));
  for (const extension of missing) {
    await createExtension(client, extension);
    supplied.add(extension.name);
  }
  return missing.length > 0;
}

/** Creates other databases of the live server, without content. */
export async function createDatabases(
  client: Client,
  live: LiveServer,
  wanted: (name: string) => boolean,
): Promise<boolean> {
  return createEach(
    client,
    live.databases.filter(({ name }) => wanted(name)),
    "pg_database",
    "datname",
    (name, owner) => `create database ${name} owner ${owner} strategy file_copy`,
  );
}

/**
 * Creates tablespaces of the live server in the data directory, because the live server's folders do not exist here.
 */
export async function createTablespaces(
  client: Client,
  live: LiveServer,
  wanted: (name: string) => boolean,
): Promise<boolean> {
  await client.query("set allow_in_place_tablespaces = on");
  return createEach(
    client,
    live.tablespaces.filter(({ name }) => wanted(name)),
    "pg_tablespace",
    "spcname",
    (name, owner) => `create tablespace ${name} owner ${owner} location ''`,
  );
}

async function createEach(
  client: Client,
  wanted: readonly { name: string; owner: string }[],
  catalog: string,
  column: string,
  statement: (name: string, owner: string) => string,
): Promise<boolean> {
  let made = false;
  for (const { name, owner } of wanted) {
    const { rowCount } = await client.query(`select from ${catalog} where ${column} = $1`, [name]);
    if (rowCount !== 0) continue;
    const owns = (await client.query("select from pg_roles where rolname = $1", [owner])).rowCount !== 0;
    await client.query(
      statement(client.escapeIdentifier(name), owns ? client.escapeIdentifier(owner) : "current_user"),
    );
    made = true;
  }
  return made;
}

/** Settings whose stored value is a list of names, each quoted separately. */
const lists = /^(search_path|temp_tablespaces|.*_preload_libraries)$/i;

/** Stores the settings that databases and roles of the live server have, except time limits and libraries. */
export async function storeSettings(
  client: Client,
  live: LiveServer,
  wanted: (setting: LiveSetting) => boolean,
): Promise<void> {
  const { rows } = await client.query<{ name: string }>("select rolname as name from pg_roles");
  const there = new Set(rows.map(({ name }) => name));
  for (const setting of live.settings.filter(wanted)) {
    const { database, role, name, value } = setting;
    if (role !== null && !there.has(role)) continue;
    if (/_preload_libraries$|_timeout$/.test(name)) continue;
    const id = (text: string) => client.escapeIdentifier(text);
    const subject =
      role === null
        ? database === null
          ? "role all"
          : `database ${id(database)}`
        : `role ${id(role)}${database === null ? "" : ` in database ${id(database)}`}`;
    const text = lists.test(name) ? value || "''" : client.escapeLiteral(value);
    // Fails for a setting of a library that is not loaded here.
    await client.query(`alter ${subject} set ${name.split(".").map(id).join(".")} = ${text}`).catch(() => {});
  }
}
