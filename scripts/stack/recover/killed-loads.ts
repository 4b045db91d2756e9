import { escapeIdentifier } from "pg";
import { beginningOfReplaced, loadingPrefix } from "../../backup/dump/load-plan.ts";
import { withClient } from "../../connection/client.ts";
import { OperationError } from "../../core/operation-error.ts";
import type { Stack } from "../stack.ts";
import type { StackState } from "../stack-state.ts";
import { adminOf } from "./left-memberships.ts";
import type { StackLeftover } from "./leftover.ts";

/**
 * Finds databases that a killed `dumps load` or `backup restore --only` left on the stack's server: the replaced one,
 * which has what was there before, and one that was not loaded completely. Nothing is removed, because the replaced one
 * can hold the only copy of its rows.
 */
export async function killedLoads(stack: Stack, state: StackState | undefined): Promise<StackLeftover[]> {
  const databases = new Set(
    (state?.deployment.resources ?? [])
      .filter(({ type }) => type === "postgresql:index/database:Database")
      .map(({ outputs }) => outputs?.name),
  );
  if (databases.size === 0) return [];
  try {
    const admin = await adminOf(stack);
    if (admin === undefined) return [];
    const names = await withClient(admin, async (client) => {
      const { rows } = await client.query<{ name: string }>(
        "select datname::text as name from pg_catalog.pg_database order by 1",
      );
      return rows.map(({ name }) => name);
    });
    return names.flatMap((name) => leftover(name, databases));
  } catch (error) {
    // A server that does not answer is reported with the memberships that cannot be checked.
    if (error instanceof OperationError) return [];
    throw error;
  }
}

function leftover(name: string, databases: ReadonlySet<unknown>): StackLeftover[] {
  const id = escapeIdentifier;
  if (name.startsWith(loadingPrefix))
    return [
      {
        kind: "server",
        found: `a load of a dump was killed, or runs now: the database ${name} is not complete`,
        advice: `The next load drops it. To drop it now, if none runs: DROP DATABASE ${id(name)};`,
      },
    ];
  const database = beginningOfReplaced(name);
  if (database === undefined) return [];
  // Names are shortened before the suffix.
  const replacing = [...databases].find((each) => typeof each === "string" && each.slice(0, 40) === database);
  if (typeof replacing !== "string") return [];
  const back = `ALTER DATABASE ${id(replacing)} RENAME TO ${id(`${database}_loaded`)}; ALTER DATABASE ${id(name)} RENAME TO ${id(replacing)};`;
  return [
    {
      kind: "server",
      found: `a load into the database ${replacing} was killed, or runs now: what it replaced is kept in ${name}`,
      advice: `If none runs, and ${replacing} is right: DROP DATABASE ${id(name)}; To return, without sessions in both: ${back}`,
    },
  ];
}
