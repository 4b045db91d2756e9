import type { Properties } from "../../provider-protocol/values.ts";
import { flag, type PropertyTable, text } from "../property.ts";
import { type Definition, resourceType } from "./resource.ts";
import type { Session, Sessions } from "./session.ts";

const properties: PropertyTable = {
  name: { kind: "string", required: true, autoNamed: true },
  owner: { kind: "string", computed: true },
  template: { kind: "string", computed: true, replaces: true },
  encoding: { kind: "string", computed: true, replaces: true },
  lcCollate: { kind: "string", computed: true, replaces: true },
  lcCtype: { kind: "string", computed: true, replaces: true },
  tablespaceName: { kind: "string", computed: true },
  connectionLimit: { kind: "number", default: -1, minimum: -1 },
  allowConnections: { kind: "boolean", default: true },
  isTemplate: { kind: "boolean", computed: true },
  alterObjectOwnership: { kind: "boolean", absent: false },
};

const definition: Definition = {
  typeName: "Database",
  properties,
  id: (values) => text(values, "name"),
  fromId: (id) => ({ name: id }),

  async ensure(sessions, wanted, before) {
    const name = text(wanted, "name");
    const previous = text(before ?? {}, "name");
    if (previous !== "" && previous !== name) await rename(sessions, previous, name);
    if (flag(wanted, "alterObjectOwnership")) await reassignObjects(sessions, wanted);
    const template = templateOf(wanted);
    // PostgreSQL does not copy a database that has connections, not even an idle one of this plugin.
    if (template !== "DEFAULT") await sessions.close(template);
    // Not in a transaction, since PostgreSQL creates databases only outside of one.
    await sessions.run(sessions.database, async (session) => {
      // An existing database must be imported first. Otherwise this fails with PostgreSQL's "already exists".
      const current = before === undefined ? undefined : await readDatabase(session, name);
      if (current === undefined) await session.query(createStatement(session, wanted));
      else await correct(session, current, wanted);
    });
  },

  find: (sessions, expected) =>
    sessions.run(sessions.database, async (session) => {
      const database = await readDatabase(session, text(expected, "name"));
      if (database === undefined) return undefined;
      const declared = (key: string) => spelling(database[key], expected[key]);
      return {
        ...database,
        encoding: declared("encoding"),
        lcCollate: declared("lcCollate"),
        lcCtype: declared("lcCtype"),
        tablespaceName: declared("tablespaceName"),
        template: text(expected, "template") || "template0",
      };
    }),

  async remove(sessions, outputs) {
    const name = text(outputs, "name");
    await sessions.close(name);
    await sessions.run(sessions.database, async (session) => {
      if ((await readDatabase(session, name)) === undefined) return;
      const database = session.identifier(name);
      await session.query(`ALTER DATABASE ${database} WITH ALLOW_CONNECTIONS false IS_TEMPLATE false`);
      await session.query(`DROP DATABASE ${database} WITH (FORCE)`);
    });
  },
};

export const database = resourceType(definition);

async function readDatabase(session: Session, name: string): Promise<Properties | undefined> {
  const [row] = await session.query(
    `SELECT datname AS name, pg_catalog.pg_get_userbyid(datdba) AS owner,
            pg_catalog.pg_encoding_to_char(encoding) AS encoding, datcollate AS "lcCollate", datctype AS "lcCtype",
            spcname AS "tablespaceName", datconnlimit AS "connectionLimit", datallowconn AS "allowConnections",
            datistemplate AS "isTemplate"
       FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace
      WHERE datname = $1`,
    [name],
  );
  return row;
}

function createStatement(session: Session, wanted: Properties): string {
  const clause = (keyword: string, key: string, quote: (value: string) => string, otherwise?: string) => {
    const value = text(wanted, key);
    if (value === "") return otherwise === undefined ? [] : [`${keyword} ${otherwise}`];
    return [`${keyword} ${isDefault(value) ? "DEFAULT" : quote(value)}`];
  };
  const identifier = (value: string) => session.identifier(value);
  const literal = (value: string) => session.literal(value);
  const template = templateOf(wanted);
  return [
    `CREATE DATABASE ${identifier(text(wanted, "name"))}`,
    ...clause("OWNER", "owner", identifier),
    `TEMPLATE ${template === "DEFAULT" ? template : identifier(template)}`,
    ...clause("ENCODING", "encoding", literal, "'UTF8'"),
    ...clause("LC_COLLATE", "lcCollate", literal),
    ...clause("LC_CTYPE", "lcCtype", literal),
    ...clause("TABLESPACE", "tablespaceName", identifier),
    `ALLOW_CONNECTIONS ${wanted.allowConnections !== false}`,
    `CONNECTION LIMIT ${Number(wanted.connectionLimit ?? -1)}`,
    `IS_TEMPLATE ${flag(wanted, "isTemplate")}`,
  ].join(" ");
}

/** Changes an existing database as wanted, as far as it can be changed in place. */
async function correct(session: Session, current: Properties, wanted: Properties): Promise<void> {
  const name = text(current, "name");
  const database = session.identifier(name);
  const owner = text(wanted, "owner");
  if (owner !== "" && owner !== current.owner) {
    await session.query(`ALTER DATABASE ${database} OWNER TO ${session.identifier(owner)}`);
  }
  const tablespace = text(wanted, "tablespaceName");
  if (tablespace !== "" && !isDefault(tablespace) && tablespace !== current.tablespaceName) {
    await session.query(`ALTER DATABASE ${database} SET TABLESPACE ${session.identifier(tablespace)}`);
  }
  const options: string[] = [];
  const limit = Number(wanted.connectionLimit ?? -1);
  if (limit !== current.connectionLimit) options.push(`CONNECTION LIMIT ${limit}`);
  const allow = wanted.allowConnections !== false;
  if (allow !== current.allowConnections) options.push(`ALLOW_CONNECTIONS ${allow}`);
  if (typeof wanted.isTemplate === "boolean" && wanted.isTemplate !== current.isTemplate) {
    options.push(`IS_TEMPLATE ${wanted.isTemplate}`);
  }
  if (options.length > 0) await session.query(`ALTER DATABASE ${database} WITH ${options.join(" ")}`);
}

async function rename(sessions: Sessions, from: string, to: string): Promise<void> {
  await sessions.close(from);
  await sessions.run(sessions.database, async (session) => {
    if ((await readDatabase(session, from)) === undefined) return;
    await session.query(`ALTER DATABASE ${session.identifier(from)} RENAME TO ${session.identifier(to)}`);
  });
}

/** Applies `alterObjectOwnership`: objects of the former owner in the database are reassigned to the new one. */
async function reassignObjects(sessions: Sessions, wanted: Properties): Promise<void> {
  const owner = text(wanted, "owner");
  const name = text(wanted, "name");
  if (owner === "") return;
  const current = await sessions.run(sessions.database, (session) => readDatabase(session, name));
  if (current === undefined || current.owner === owner) return;
  await sessions.change(name, (session) =>
    session.query(`REASSIGN OWNED BY ${session.identifier(text(current, "owner"))} TO ${session.identifier(owner)}`),
  );
}

function templateOf(wanted: Properties): string {
  const template = text(wanted, "template");
  if (template === "") return "template0";
  return isDefault(template) ? "DEFAULT" : template;
}

function isDefault(value: string): boolean {
  return value.toUpperCase() === "DEFAULT";
}

/**
 * Returns the declared spelling if it means the server's value: `utf-8` is UTF8, `en_US.utf8` is en_US.UTF-8, and
 * DEFAULT is any value.
 */
function spelling(actual: unknown, declared: unknown): unknown {
  if (typeof declared !== "string" || declared === "" || typeof actual !== "string") return actual;
  const plain = (value: string) => value.toLowerCase().replace(/[-_\s]/g, "");
  return isDefault(declared) || plain(actual) === plain(declared) ? declared : actual;
}
