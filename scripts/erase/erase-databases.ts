import { readState, type StateAccess, writeState } from "../stack/stack-state.ts";
import type { Connection } from "../target/connection.ts";
import { dropDatabase, type KeptRole, rolesOf } from "./drop-database.ts";
import { databasesOn } from "./losses.ts";
import { stackContent, withoutDatabases } from "./stack-content.ts";
import type { Survey } from "./survey.ts";

/** Databases that can be named: on the server, or in the state of a stack whose server has lost them. */
export async function erasableDatabases({ content }: Survey, admin: Connection | undefined): Promise<string[]> {
  const there = admin === undefined ? [] : await databasesOn(admin);
  return [...new Set([...there, ...content.databases])].sort();
}

/** Those of the names that have no database any more, and still roles: an earlier run was killed between the two. */
export async function halfErased(admin: Connection, names: readonly string[]): Promise<string[]> {
  const roles = await Promise.all(names.map(async (name) => ((await rolesOf(admin, name)).length > 0 ? [name] : [])));
  return roles.flat();
}

/**
 * Erases databases of a stack whose server runs; the rest of the stack is not touched. They leave the state first: a run that is killed in between leaves them on the
 * server, where they can be named again, and never in the state alone, where `up` would look for them in vain.
 *
 * @param onStep is told what is being done
 * @returns the roles that stay, of all of them
 * @throws OperationError
 */
export async function eraseDatabases(
  access: StateAccess,
  admin: Connection,
  names: readonly string[],
  onStep: (step: string) => void,
): Promise<KeptRole[]> {
  // Read again: since it was shown, others may have changed it.
  const state = await readState(access);
  if (state !== undefined && names.some((name) => stackContent(state).databases.includes(name))) {
    onStep(`taking ${names.join(", ")} out of the state`);
    await writeState(access, withoutDatabases(state, names));
  }
  const kept: KeptRole[] = [];
  for (const name of names) {
    onStep(`dropping ${name}`);
    kept.push(...(await dropDatabase(admin, name)));
  }
  return kept;
}
