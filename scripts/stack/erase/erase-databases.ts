import type { Connection } from "../../connection/connection.ts";
import { OperationError } from "../../core/operation-error.ts";
import type { Stack } from "../stack.ts";
import { stackContent, withoutDatabases } from "../stack-content.ts";
import { readState, writeState } from "../stack-state.ts";
import { dropDatabase, type KeptRole, rolesOf } from "./drop-database.ts";
import { databasesOn } from "./losses.ts";
import type { Survey } from "./survey.ts";

/**
 * Lists the databases that can be erased: those on the server, and those in the state of a stack whose server has lost
 * them.
 */
export async function erasableDatabases({ content }: Survey, admin: Connection | undefined): Promise<string[]> {
  const there = admin === undefined ? [] : await databasesOn(admin);
  return [...new Set([...there, ...content.databases])].sort();
}

/**
 * Lists the named databases that still have roles. If their database is gone, an earlier run was killed after dropping
 * it.
 */
export async function halfErased(admin: Connection, names: readonly string[]): Promise<string[]> {
  const roles = await Promise.all(names.map(async (name) => ((await rolesOf(admin, name)).length > 0 ? [name] : [])));
  return roles.flat();
}

/** Arguments of `eraseDatabases`. */
export interface DatabaseErasure {
  stack: Stack;
  /** Connection of the server's superuser. */
  admin: Connection;
  names: readonly string[];
  /** Called with a description of each step. */
  onStep: (step: string) => void;
  /** Called under the stack's lock, before anything is changed. */
  check: () => Promise<void>;
  /** Runs work under the stack's lock. */
  locked: <T>(work: () => Promise<T>) => Promise<T>;
}

/**
 * Erases databases of a stack whose server runs. The rest of the stack is not changed. They are dropped under the
 * stack's lock, so that no `up` works on them at the same time. They are removed from the state afterwards, because the
 * engine writes a state under its own lock. If a run is killed in between, `up` reports the missing databases, and
 * erasing again completes it.
 *
 * @returns the roles of the databases that stay
 * @throws OperationError
 */
export async function eraseDatabases(erasure: DatabaseErasure): Promise<KeptRole[]> {
  const { stack, admin, names, onStep, check, locked } = erasure;
  const kept = await locked(async () => {
    await check();
    const roles: KeptRole[] = [];
    for (const name of names) {
      onStep(`dropping ${name}`);
      roles.push(...(await dropDatabase(admin, name)));
    }
    return roles;
  });
  const state = await readState(stack);
  if (state !== undefined && names.some((name) => stackContent(state).databases.includes(name))) {
    onStep(`removing ${names.join(", ")} from the state`);
    await writeState(stack, withoutDatabases(state, names)).catch((error: unknown) => {
      if (!(error instanceof OperationError)) throw error;
      throw new OperationError(
        `${names.join(", ")} erased on the server, but still in the state of stack "${stack.name}": ${error.message}`,
        { hint: "Run the same command again: it removes them from the state.", cause: error },
      );
    });
  }
  return kept;
}
