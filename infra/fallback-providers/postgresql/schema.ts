import type { Properties } from "../../provider-protocol/values.ts";
import { flag, type PropertyTable, text } from "../property.ts";
import { type Definition, resourceType } from "./resource.ts";
import { scopedId } from "./scoped-id.ts";
import type { Session } from "./session.ts";

const properties: PropertyTable = {
  name: { kind: "string", required: true, autoNamed: true },
  database: { kind: "string", computed: true, replaces: true },
  owner: { kind: "string", computed: true },
  ifNotExists: { kind: "boolean", default: true },
  dropCascade: { kind: "boolean", absent: false },
  policies: {
    kind: "set",
    computed: true,
    absent: [],
    refused: 'is deprecated and not supported here: use a Grant with objectType "schema"',
  },
};

const definition: Definition = {
  typeName: "Schema",
  properties,
  id: (values) => `${text(values, "database")}.${text(values, "name")}`,
  fromId: scopedId,

  ensure: (sessions, wanted, before) =>
    sessions.change(text(wanted, "database"), async (session) => {
      const name = text(wanted, "name");
      const schema = session.identifier(name);
      const previous = text(before ?? {}, "name");
      if (previous !== "" && previous !== name && (await readSchema(session, previous)) !== undefined) {
        await session.query(`ALTER SCHEMA ${session.identifier(previous)} RENAME TO ${schema}`);
      }
      const owner = text(wanted, "owner");
      const current = await readSchema(session, name);
      if (current === undefined) {
        const authorization = owner === "" ? "" : ` AUTHORIZATION ${session.identifier(owner)}`;
        await session.query(`CREATE SCHEMA ${schema}${authorization}`);
      } else if (owner !== "" && owner !== current.owner) {
        await session.query(`ALTER SCHEMA ${schema} OWNER TO ${session.identifier(owner)}`);
      }
    }),

  async find(sessions, expected) {
    const database = text(expected, "database");
    if (!(await sessions.hasDatabase(database))) return undefined;
    const schema = await sessions.run(database, (session) => readSchema(session, text(expected, "name")));
    return schema === undefined ? undefined : { ...schema, database };
  },

  async describeExisting(sessions, wanted) {
    const current = await sessions.run(text(wanted, "database"), (session) =>
      readSchema(session, text(wanted, "name")),
    );
    return current && `schema ${current.name}, owner ${current.owner}`;
  },

  async remove(sessions, outputs) {
    const database = text(outputs, "database");
    if (!(await sessions.hasDatabase(database))) return;
    const mode = flag(outputs, "dropCascade") ? "CASCADE" : "RESTRICT";
    await sessions.change(database, (session) =>
      session.query(`DROP SCHEMA IF EXISTS ${session.identifier(text(outputs, "name"))} ${mode}`),
    );
  },
};

export const schema = resourceType(definition);

async function readSchema(session: Session, name: string): Promise<Properties | undefined> {
  const [row] = await session.query(
    "SELECT nspname AS name, pg_catalog.pg_get_userbyid(nspowner) AS owner FROM pg_catalog.pg_namespace WHERE nspname = $1",
    [name],
  );
  return row;
}
