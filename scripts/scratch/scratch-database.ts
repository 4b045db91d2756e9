import type { Client } from "pg";
import { OperationError } from "../errors/operation-error.ts";
import { withClient } from "../target/client.ts";
import { type Connection, describeConnection, inDatabase } from "../target/connection.ts";
import { type DatabaseLikeness, readLikeness } from "./database-likeness.ts";
import { dropStale, newName } from "./left-behind.ts";

/** Codes of what a role may not do: no privilege, must be superuser or member. */
const denied = ["42501", "0LP01"];

export interface ScratchOptions {
  /** Who makes and drops it: a role that may create databases and the extensions of this one. */
  admin: Connection;
  /** The database to be alike, and the login that will use the copy. Nothing in it is read but its settings. */
  like: Connection;
}

/**
 * Makes an empty database beside another one and like it (owner, locale, extensions, the schema's privileges, default privileges), hands it to
 * `use` and drops it whatever happens. What a killed run left is dropped by a later one.
 *
 * @throws OperationError where the administrator may not make it; ConnectionError
 */
export async function withScratchDatabase<T>(
  { admin, like }: ScratchOptions,
  use: (scratch: Connection) => Promise<T>,
): Promise<T> {
  const likeness = await withClient(like, readLikeness, "pgroundwork scratch");
  const name = newName();
  try {
    await make(admin, name, likeness);
    return await use(inDatabase(like, name));
  } finally {
    await withClient(admin, (client) => drop(client, name), "pgroundwork scratch");
  }
}

async function make(admin: Connection, name: string, likeness: DatabaseLikeness): Promise<void> {
  try {
    await withClient(
      admin,
      async (client) => {
        await dropStale(client);
        const id = (text: string) => client.escapeIdentifier(text);
        await client.query(
          `create database ${id(name)} owner ${id(likeness.owner)} template template0 ${likeness.createOptions}`,
        );
        await client.query(`revoke all on database ${id(name)} from public`);
      },
      "pgroundwork scratch",
    );
    await withClient(
      inDatabase(admin, name),
      async (client) => {
        for (const statement of likeness.statements) await client.query(statement);
      },
      "pgroundwork scratch",
    );
  } catch (error) {
    throw refusal(admin, error);
  }
}

function refusal(admin: Connection, error: unknown): unknown {
  if (!(error instanceof Error && "code" in error && denied.includes(String(error.code)))) return error;
  return new OperationError(`${describeConnection(admin)} cannot make a scratch database: ${error.message}.`, {
    remedy: "Name a login that may create databases and extensions in ROOT_DATABASE_URL.",
    cause: error,
  });
}

async function drop(client: Client, name: string): Promise<void> {
  await client.query(`drop database if exists ${client.escapeIdentifier(name)} with (force)`);
}
