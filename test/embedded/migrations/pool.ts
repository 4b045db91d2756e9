import { createPool, type Pool } from "pgroundwork";
import type { MigratedDatabase } from "./migrated-database.ts";

/** Creates a pool of a reference database's application, as an application does. */
export function poolOf({ name, server }: MigratedDatabase): Pool {
  const { host, port, database, user, password, sslmode } = server.as("app", name);
  return createPool({ env: {}, max: 5, connection: { hosts: [{ host, port }], database, user, password, sslmode } });
}

/** Texts that break statements which are put together from text. */
export const hostileTexts = [
  "'; drop table users; --",
  '"quoted"',
  "%_\\",
  "$1 $$ {x}",
  "\u202e\u{1f4a3}",
  "null",
  "x".repeat(5_000),
];

/** Calls a function with every hostile text. It may refuse one with a domain error, and nothing else. */
export async function callWithHostileTexts(call: (text: string) => Promise<unknown>): Promise<void> {
  const { DomainError } = await import("pgroundwork");
  for (const text of hostileTexts)
    await call(text).catch((error: unknown) => {
      if (!(error instanceof DomainError)) throw error;
    });
}
