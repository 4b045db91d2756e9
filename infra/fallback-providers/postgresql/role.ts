import type { CheckFailure } from "../../provider-protocol/resource-type.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { type PropertyTable, sorted, strings, text } from "../property.ts";
import { type Definition, resourceType } from "./resource.ts";
import { ensurePassword, readPassword } from "./role-password.ts";
import { alterSettings, readSettings } from "./role-settings.ts";
import type { Session } from "./session.ts";

const properties: PropertyTable = {
  name: { kind: "string", required: true, autoNamed: true },
  login: { kind: "boolean", absent: false },
  password: { kind: "string" },
  passwordWo: { kind: "string", refused: "is not supported here: use password, which is stored as a secret" },
  passwordWoVersion: { kind: "string", refused: "is not supported here: use password, which is stored as a secret" },
  encrypted: { kind: "string", refused: "is deprecated: remove it, since passwords are always stored encrypted" },
  encryptedPassword: { kind: "boolean", default: true },
  roles: { kind: "set", absent: [] },
  searchPaths: { kind: "list", absent: [] },
  assumeRole: { kind: "string", absent: "" },
  inherit: { kind: "boolean", default: true },
  superuser: { kind: "boolean", absent: false },
  createDatabase: { kind: "boolean", absent: false },
  createRole: { kind: "boolean", absent: false },
  replication: { kind: "boolean", absent: false },
  bypassRowLevelSecurity: { kind: "boolean", absent: false },
  connectionLimit: { kind: "number", default: -1, minimum: -1 },
  validUntil: { kind: "string", default: "infinity" },
  statementTimeout: { kind: "number", minimum: 0, absent: 0 },
  idleInTransactionSessionTimeout: { kind: "number", minimum: 0, absent: 0 },
  skipDropRole: { kind: "boolean", absent: false },
  skipReassignOwned: { kind: "boolean", absent: false },
};

/** Attributes of CREATE ROLE that are on or off. */
const switches = {
  superuser: "SUPERUSER",
  createDatabase: "CREATEDB",
  createRole: "CREATEROLE",
  inherit: "INHERIT",
  login: "LOGIN",
  replication: "REPLICATION",
  bypassRowLevelSecurity: "BYPASSRLS",
} as const;

const definition: Definition = {
  typeName: "Role",
  properties,
  secretOutputs: ["password", "passwordWo"],
  validate,
  id: (values) => text(values, "name"),
  fromId: (id) => ({ name: id }),

  ensure: (sessions, wanted, before) =>
    sessions.change(sessions.database, async (session) => {
      const name = text(wanted, "name");
      const role = session.identifier(name);
      const previous = text(before ?? {}, "name");
      if (previous !== "" && previous !== name && (await readRole(session, previous, wanted)) !== undefined) {
        await session.query(`ALTER ROLE ${session.identifier(previous)} RENAME TO ${role}`);
      }
      let current = before === undefined ? undefined : await readRole(session, name, wanted);
      if (current === undefined) {
        // An existing role must be imported first. Otherwise this fails with PostgreSQL's "already exists".
        await session.query(`CREATE ROLE ${role}`);
        current = (await readRole(session, name, wanted)) ?? {};
      }
      await alterAttributes(session, name, current, wanted);
      await ensurePassword(session, sessions.superuser, wanted, before);
      await alterMemberships(session, name, strings(wanted, "roles"));
      await alterSettings(session, name, current, wanted);
    }),

  find: (sessions, expected) =>
    sessions.run(sessions.database, async (session) => {
      const role = await readRole(session, text(expected, "name"), expected);
      if (role === undefined) return undefined;
      return { ...role, encryptedPassword: true, password: await readPassword(session, sessions.superuser, expected) };
    }),

  remove: (sessions, outputs) => sessions.change(sessions.database, (session) => dropRole(session, outputs)),
};

export const role = resourceType(definition);

function validate(inputs: Properties): CheckFailure[] {
  const failures: CheckFailure[] = [];
  if (inputs.encryptedPassword === false) {
    const reason = "Role.encryptedPassword cannot be false: PostgreSQL has not stored plain passwords since version 10";
    failures.push({ property: "encryptedPassword", reason });
  }
  if (text(inputs, "password").toUpperCase() === "NULL") {
    const reason = 'Role.password "NULL" means "no password" to the official plugin: remove password instead';
    failures.push({ property: "password", reason });
  }
  if (typeof inputs.name === "string" && ["public", "none"].includes(inputs.name)) {
    failures.push({ property: "name", reason: `Role.name "${inputs.name}" is reserved by PostgreSQL` });
  }
  return failures;
}

async function readRole(session: Session, name: string, expected: Properties): Promise<Properties | undefined> {
  // The expected spelling of a date stays if it means the same moment. The server answers in its own format and time
  // zone.
  const validUntil = text(expected, "validUntil") || "infinity";
  const [row] = await session.query<Properties & { settings: string[] | null }>(
    `SELECT rolname AS name, rolsuper AS superuser, rolinherit AS inherit, rolcreaterole AS "createRole",
            rolcreatedb AS "createDatabase", rolcanlogin AS login, rolreplication AS replication,
            rolbypassrls AS "bypassRowLevelSecurity", rolconnlimit AS "connectionLimit",
            CASE WHEN COALESCE(rolvaliduntil, 'infinity') = $2::text::timestamptz THEN $2::text
                 ELSE COALESCE(rolvaliduntil::text, 'infinity') END AS "validUntil",
            rolconfig AS settings,
            ARRAY(SELECT g.rolname::text FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
                  WHERE m.member = r.oid GROUP BY 1 ORDER BY 1) AS roles
       FROM pg_catalog.pg_roles r WHERE rolname = $1`,
    [name, validUntil],
  );
  if (row === undefined) return undefined;
  const { settings, ...attributes } = row;
  return { ...attributes, ...readSettings(settings ?? []) };
}

/** Changes only attributes that differ: altering a superuser's attributes needs more rights, even without a change. */
async function alterAttributes(session: Session, name: string, current: Properties, wanted: Properties): Promise<void> {
  const options: string[] = [];
  for (const [key, keyword] of Object.entries(switches)) {
    const on = (wanted[key] ?? properties[key]?.default ?? false) === true;
    if (current[key] !== on) options.push(on ? keyword : `NO${keyword}`);
  }
  const limit = wanted.connectionLimit ?? -1;
  if (current.connectionLimit !== limit) options.push(`CONNECTION LIMIT ${Number(limit)}`);
  const validUntil = text(wanted, "validUntil") || "infinity";
  if (current.validUntil !== validUntil) options.push(`VALID UNTIL ${session.literal(validUntil)}`);
  if (options.length > 0) await session.query(`ALTER ROLE ${session.identifier(name)} WITH ${options.join(" ")}`);
}

async function alterMemberships(session: Session, name: string, wanted: string[]): Promise<void> {
  const held = await session.query<{ role: string; grantor: string | null }>(
    `SELECT g.rolname AS role, o.rolname AS grantor
       FROM pg_catalog.pg_auth_members m
       JOIN pg_catalog.pg_roles r ON r.oid = m.member
       JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
       LEFT JOIN pg_catalog.pg_roles o ON o.oid = m.grantor
      WHERE r.rolname = $1`,
    [name],
  );
  const member = session.identifier(name);
  for (const { role, grantor } of held.filter(({ role }) => !wanted.includes(role))) {
    // Since version 16 each membership belongs to one grantor, and a REVOKE without the grantor's name keeps it.
    const by = grantor === null ? "" : ` GRANTED BY ${session.identifier(grantor)}`;
    await session.query(`REVOKE ${session.identifier(role)} FROM ${member}${by}`);
  }
  for (const role of sorted(wanted).filter((role) => !held.some((membership) => membership.role === role))) {
    await session.query(`GRANT ${session.identifier(role)} TO ${member}`);
  }
}

/**
 * Drops a role. Owned objects are first reassigned to the connected user and privileges are revoked, both only in the
 * provider's own database.
 */
async function dropRole(session: Session, outputs: Properties): Promise<void> {
  const name = text(outputs, "name");
  if ((await readRole(session, name, outputs)) === undefined) return;
  const role = session.identifier(name);
  if (outputs.skipReassignOwned !== true) {
    await session.query(`REASSIGN OWNED BY ${role} TO CURRENT_USER`);
    await session.query(`DROP OWNED BY ${role}`);
  }
  if (outputs.skipDropRole !== true) await session.query(`DROP ROLE ${role}`);
}
