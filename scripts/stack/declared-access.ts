import pg from "pg";
import type { DeclaredAccess, DeclaredGrant, DeclaredRole } from "../backup/restore/in-place/access.ts";
import type { Stack } from "./stack.ts";
import { plainText, readState, type StateResource } from "./stack-state.ts";

const roleType = "postgresql:index/role:Role";
const grantType = "postgresql:index/grant:Grant";
const providerType = "pulumi:providers:postgresql";
const defaultsType = "postgresql:index/defaultPrivileges:DefaultPrivileges";

/**
 * Reads the roles and privileges that a stack's state declares, with the passwords of the roles.
 *
 * @throws OperationError if the state or its secrets cannot be read
 */
export async function readDeclaredAccess(stack: Stack): Promise<DeclaredAccess> {
  return declaredAccess((await readState(stack, true))?.deployment.resources ?? []);
}

/**
 * Reads the roles and privileges that a state declares. Privileges on single tables are not among them.
 *
 * @param resources with secrets in plain text, or without the passwords
 */
export function declaredAccess(resources: readonly StateResource[]): DeclaredAccess {
  const inputsOf = (type: string) =>
    resources.filter((each) => each.type === type && each.delete !== true).map(({ inputs }) => inputs ?? {});
  return {
    roles: inputsOf(roleType).map(roleOf),
    grants: [...inputsOf(grantType).flatMap(grantOf), ...inputsOf(defaultsType).map(defaultsOf)],
    passwords: Object.fromEntries([
      ...inputsOf(roleType).flatMap((inputs) => passwordOf(inputs, "name")),
      ...inputsOf(providerType).flatMap((inputs) => passwordOf(inputs, "username")),
    ]),
  };
}

function passwordOf(inputs: Inputs, key: string): [string, string][] {
  const password = plainText(inputs.password);
  const name = text(inputs, key);
  return password === undefined || name === "" ? [] : [[name, password]];
}

type Inputs = Readonly<Record<string, unknown>>;

function text(inputs: Inputs, key: string): string {
  const value = inputs[key];
  return typeof value === "string" ? value : "";
}

function list(inputs: Inputs, key: string): string[] {
  const value = inputs[key];
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

/** Attributes that are off unless they are declared. PostgreSQL inherits by default. */
const switches: Readonly<Record<string, string>> = {
  login: "LOGIN",
  superuser: "SUPERUSER",
  createDatabase: "CREATEDB",
  createRole: "CREATEROLE",
  replication: "REPLICATION",
  bypassRowLevelSecurity: "BYPASSRLS",
};

function roleOf(inputs: Inputs): DeclaredRole {
  const settings: Record<string, string> = {};
  const assumed = text(inputs, "assumeRole");
  if (assumed !== "") settings.role = pg.escapeIdentifier(assumed);
  const searchPaths = list(inputs, "searchPaths");
  if (searchPaths.length > 0) settings.search_path = searchPaths.map((each) => pg.escapeIdentifier(each)).join(", ");
  for (const [key, name] of [
    ["statementTimeout", "statement_timeout"],
    ["idleInTransactionSessionTimeout", "idle_in_transaction_session_timeout"],
  ] as const)
    if (typeof inputs[key] === "number" && inputs[key] !== 0) settings[name] = String(inputs[key]);
  const limit = inputs.connectionLimit;
  return {
    name: text(inputs, "name"),
    attributes: [
      ...Object.entries(switches).flatMap(([key, word]) => (inputs[key] === true ? [word] : [])),
      ...(inputs.inherit === false ? ["NOINHERIT"] : []),
      ...(typeof limit === "number" && limit >= 0 ? [`CONNECTION LIMIT ${limit}`] : []),
    ],
    memberOf: list(inputs, "roles"),
    settings,
  };
}

function grantOf(inputs: Inputs): DeclaredGrant[] {
  const kind = text(inputs, "objectType");
  const grant = {
    database: text(inputs, "database"),
    role: text(inputs, "role"),
    privileges: list(inputs, "privileges"),
  };
  if (kind === "database") return [{ ...grant, on: { kind } }];
  if (kind === "schema") return [{ ...grant, on: { kind, schema: text(inputs, "schema") } }];
  return [];
}

function defaultsOf(inputs: Inputs): DeclaredGrant {
  const schema = text(inputs, "schema");
  return {
    ...{ database: text(inputs, "database"), role: text(inputs, "role"), privileges: list(inputs, "privileges") },
    on: {
      kind: "defaults",
      owner: text(inputs, "owner"),
      objects: `${text(inputs, "objectType")}s`,
      ...(schema === "" ? {} : { schema }),
    },
  };
}
