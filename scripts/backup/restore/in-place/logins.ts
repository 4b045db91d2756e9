import type Docker from "dockerode";
import pg from "pg";
import { scramVerifier } from "../../../connection/scram.ts";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { executeInContainer, queryInContainer, SocketError } from "../../../docker/server/query.ts";
import type { StackOutputs } from "../../../model/stack-outputs.ts";
import type { SocketServer } from "../contents.ts";
import { type DeclaredAccess, lockTimeout } from "./access.ts";

/** Differences between a restored cluster and what the stack declares. */
export interface StackDifferences {
  /** Login roles that it does not have. `up` creates them. */
  missingRoles: string[];
  /** Databases that it does not have. `up` creates them. */
  missingDatabases: string[];
  /** Migrations that were applied at the last `up` and that it lacks, by database. */
  missingMigrations: Record<string, string[]>;
}

/**
 * Returns the passwords of the stack's logins. Those of its state win: the outputs are of the last `up` that completed,
 * and a later one may have created roles or changed passwords before it failed.
 */
export function passwordsOf(
  { server, databases }: Pick<StackOutputs, "server" | "databases">,
  { passwords }: Pick<DeclaredAccess, "passwords">,
): Map<string, string> {
  const logins = [server.logins, ...Object.values(databases).map((each) => each.logins)];
  return new Map([
    ...logins.flatMap((each) => Object.values(each)).map((each) => [each.user, each.password] as const),
    ...Object.entries(passwords),
  ]);
}

/**
 * Requires that the passwords of logins can be set in a restored cluster: a prepared transaction that changed one of
 * them holds its row.
 *
 * @throws OperationError (not allowed) that names the prepared transactions
 */
export async function requireFreeLogins(server: SocketServer, names: Iterable<string>): Promise<void> {
  const prepared = await server.query<{ gid: string; database: string }>(
    "select gid, database from pg_prepared_xacts order by 1, 2",
  );
  if (prepared.length === 0) return;
  const logins = [...names].map((name) => pg.escapeLiteral(name)).join(", ");
  try {
    await server.execute(`begin; select from pg_authid where rolname in (${logins}) for update nowait; rollback;`);
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    const named = prepared.map(({ gid, database }) => `${gid} in ${database}`).join(", ");
    throw new OperationError(
      `The passwords of the stack's logins could not be set in the restored cluster, because a prepared transaction holds one of them (prepared are ${named}): ${error.message}`,
      {
        hint: "Nothing was changed. Restore to a moment before it was prepared or after it ended, or elsewhere with --to or --to-volume.",
        exitCode: exitCode.notAllowed,
      },
    );
  }
}

/**
 * Gives logins their current passwords. A restored cluster has those of its time.
 *
 * @returns logins that the cluster lacks
 */
export async function setPasswords(
  docker: Docker,
  server: string,
  passwords: ReadonlyMap<string, string>,
): Promise<string[]> {
  const found = await queryInContainer<{ name: string }>(docker, server, "select rolname as name from pg_roles");
  const there = new Set(found.map(({ name }) => name));
  const statements: string[] = [];
  for (const [user, password] of passwords) {
    if (!there.has(user)) continue;
    const verifier = pg.escapeLiteral(await scramVerifier(password));
    statements.push(`alter role ${pg.escapeIdentifier(user)} password ${verifier};`);
  }
  if (statements.length > 0) await executeInContainer(docker, server, [lockTimeout, ...statements].join("\n"));
  return [...passwords.keys()].filter((user) => !there.has(user));
}

/** Compares a restored cluster with what the stack's outputs say it has. */
export async function findDifferences(
  docker: Docker,
  server: string,
  outputs: StackOutputs,
  missingRoles: string[],
): Promise<StackDifferences> {
  const found = await queryInContainer<{ name: string }>(docker, server, "select datname as name from pg_database");
  const there = new Set(found.map(({ name }) => name));
  const differences: StackDifferences = { missingRoles, missingDatabases: [], missingMigrations: {} };
  for (const [database, { migrations }] of Object.entries(outputs.databases)) {
    if (!there.has(database)) {
      differences.missingDatabases.push(database);
      continue;
    }
    const applied = await appliedMigrations(docker, server, database);
    const missing = migrations.filter((file) => !applied.has(file.slice(0, 6)));
    if (missing.length > 0) differences.missingMigrations[database] = missing;
  }
  return differences;
}

/** Returns the numbers of the migrations that a database records as applied. */
async function appliedMigrations(docker: Docker, server: string, database: string): Promise<Set<string>> {
  const [table] = await queryInContainer<{ there: boolean }>(
    docker,
    server,
    "select to_regclass('graphile_migrate.migrations') is not null as there",
    database,
  );
  if (table?.there !== true) return new Set();
  const rows = await queryInContainer<{ number: string }>(
    docker,
    server,
    "select left(filename, 6) as number from graphile_migrate.migrations",
    database,
  );
  return new Set(rows.map(({ number }) => number));
}
