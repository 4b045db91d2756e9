import type { Properties } from "../../provider-protocol/values.ts";
import { flag, type PropertyTable, text } from "../property.ts";
import { type Definition, resourceType } from "./resource.ts";
import { scopedId } from "./scoped-id.ts";
import type { Session } from "./session.ts";

const properties: PropertyTable = {
  name: { kind: "string", required: true, autoNamed: true, replaces: true },
  database: { kind: "string", computed: true, replaces: true },
  schema: { kind: "string", computed: true },
  version: { kind: "string", computed: true },
  createCascade: { kind: "boolean", absent: false },
  dropCascade: { kind: "boolean", absent: false },
};

const definition: Definition = {
  typeName: "Extension",
  properties,
  id: (values) => `${text(values, "database")}.${text(values, "name")}`,
  fromId: scopedId,

  ensure: (sessions, wanted) =>
    sessions.change(text(wanted, "database"), async (session) => {
      const extension = session.identifier(text(wanted, "name"));
      const schema = text(wanted, "schema");
      const version = text(wanted, "version");
      const current = await readExtension(session, text(wanted, "name"));
      if (current === undefined) {
        await session.query(
          [
            `CREATE EXTENSION IF NOT EXISTS ${extension}`,
            ...(schema === "" ? [] : [`SCHEMA ${session.identifier(schema)}`]),
            ...(version === "" ? [] : [`VERSION ${session.identifier(version)}`]),
            ...(flag(wanted, "createCascade") ? ["CASCADE"] : []),
          ].join(" "),
        );
        return;
      }
      if (schema !== "" && schema !== current.schema) {
        await session.query(`ALTER EXTENSION ${extension} SET SCHEMA ${session.identifier(schema)}`);
      }
      if (version !== "" && version !== current.version) {
        await session.query(`ALTER EXTENSION ${extension} UPDATE TO ${session.identifier(version)}`);
      }
    }),

  async find(sessions, expected) {
    const database = text(expected, "database");
    if (!(await sessions.hasDatabase(database))) return undefined;
    const extension = await sessions.run(database, (session) => readExtension(session, text(expected, "name")));
    return extension === undefined ? undefined : { ...extension, database };
  },

  async describeExisting(sessions, wanted) {
    const current = await sessions.run(text(wanted, "database"), (session) =>
      readExtension(session, text(wanted, "name")),
    );
    return current && `extension ${current.name} ${current.version} in schema ${current.schema}`;
  },

  async remove(sessions, outputs) {
    const database = text(outputs, "database");
    if (!(await sessions.hasDatabase(database))) return;
    const mode = flag(outputs, "dropCascade") ? "CASCADE" : "RESTRICT";
    await sessions.change(database, (session) =>
      session.query(`DROP EXTENSION IF EXISTS ${session.identifier(text(outputs, "name"))} ${mode}`),
    );
  },
};

export const extension = resourceType(definition);

async function readExtension(session: Session, name: string): Promise<Properties | undefined> {
  const [row] = await session.query(
    `SELECT extname AS name, nspname AS schema, extversion AS version
       FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE extname = $1`,
    [name],
  );
  return row;
}
