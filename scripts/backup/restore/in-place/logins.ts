import type Docker from "dockerode";
import pg from "pg";
import { scramVerifier } from "../../../connection/scram.ts";
import { executeInContainer, queryInContainer } from "../../../docker/server/query.ts";
import type { StackOutputs } from "../../../model/stack-outputs.ts";
import type { DeclaredAccess } from "./access.ts";

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
  if (statements.length > 0) await executeInContainer(docker, server, statements.join("\n"));
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
