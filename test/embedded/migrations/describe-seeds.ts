import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as kit from "../../../scripts/seed/apply.ts";
import { clearSeeds } from "../../../scripts/seed/clear.ts";
import { cloneRoot } from "../../clone-root.ts";
import { contents, count } from "./contents.ts";
import { applySeeds, type MigratedDatabase, seedFiles, startMigratedDatabase } from "./migrated-database.ts";

/*
 * A database's seeds.test.ts calls `describeSeeds("name", { figures: { … }, … })`; what its rows mean together (books that add up)
 * stands beside, in tests of its own.
 */

export interface SeedFacts {
  /** Rows of tables after each set, sets in the order in which they are applied. Those of `reference` say 0 for people. */
  figures: Record<string, Record<string, number>>;
  /** Tables that stay empty on purpose: one-time tokens and the like. */
  empty?: readonly string[];
  /** Where the people are who log in, if any do. */
  logins?: LoginFacts;
}

export interface LoginFacts {
  table: string;
  email: string;
  hash: string;
  /** SQL: the row's person may log in. Every one of these has a line `--! Login: address / password` in a seed file. */
  active: string;
}

/** As most databases have them. */
export const usersWithStatus: LoginFacts = {
  table: "users",
  email: "email",
  hash: "password_hash",
  active: "status = 'active'",
};

export function describeSeeds(name: string, { figures, empty = [], logins = usersWithStatus }: SeedFacts): void {
  const sets = Object.keys(figures);
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase(name);
  });
  afterAll(() => database?.stop());

  // Each test stands on the sets that those before it applied.
  describe("seeds", () => {
    it.each(Object.entries(figures))("of the %s set put in the figures that were asked for", async (set, tables) => {
      await applySeeds(database, set);
      for (const [table, rows] of Object.entries(tables))
        expect(await count(database.migrator, table), table).toBe(rows);
    });

    it("let every person named log in with the password shown, and every active person is named", async () => {
      const { superuser } = database;
      await superuser.query(
        "create schema crypto; create extension if not exists pgcrypto schema crypto; set search_path = public, crypto",
      );
      const named = (await Promise.all(sets.map((set) => loginLines(name, set)))).flat();
      const { table, email, hash, active } = logins;
      for (const login of named) {
        // pgcrypto knows the older name of the same algorithm.
        const { rows } = await superuser.query(
          `select ${active} as active, stored = crypt($2, stored) as right, stored = crypt('wrong', stored) as wrong
           from ${table}, lateral (select replace(${hash}, '$2b$', '$2a$') as stored) as older where ${email} = $1`,
          [login.email, login.password],
        );
        expect(rows, login.email).toEqual([{ active: true, right: true, wrong: false }]);
      }
      const { rows } = await superuser.query<{ email: string }>(
        `select ${email} as email from ${table} where ${active} order by 1`,
      );
      expect(rows.map((row) => row.email)).toEqual(named.map((login) => login.email).sort());
    });

    it("carry a title each, and those of the reference set no login", async () => {
      for (const set of sets) {
        for (const path of await seedFiles(name, set))
          expect(await readFile(path, "utf8"), basename(path)).toMatch(/^--! Title: \S.*\n/);
      }
      expect(await loginLines(name, "reference")).toEqual([]);
    });

    it("applied again change no row of any table, updated_at and audit included", async () => {
      const before = await contents(database.migrator);
      for (const set of sets) await applySeeds(database, set);
      expect(await contents(database.migrator)).toEqual(before);
    });

    it("leave something to look at in every table but those that are empty on purpose", async () => {
      const without = Object.entries(await contents(database.migrator)).filter(([, digest]) =>
        digest.startsWith("0 rows"),
      );
      expect(without.map(([table]) => table)).toEqual([...empty].sort());
    });
  });

  describe("after seed clear", () => describeClearing(name, sets));
}

function describeClearing(name: string, sets: readonly string[]): void {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase(name);
  });
  afterAll(() => database?.stop());

  it("the seeds are cleared to the last row, whatever triggers made of them", async () => {
    const connection = database.server.as("migrator", name);
    const before = await contents(database.migrator);
    await kit.applySeeds({ connection, folder: join(cloneRoot, "migrations", name), sets });
    const seeded = await contents(database.migrator);
    const { deleted, unknownTables } = await clearSeeds({ connection, sets });
    expect(unknownTables).toEqual([]);
    expect(deleted.map(({ table }) => table).sort()).toEqual(
      Object.keys(seeded)
        .filter((table) => seeded[table] !== before[table])
        .map((table) => `public.${table}`)
        .sort(),
    );
    expect(await contents(database.migrator)).toEqual(before);
  });
}

/** The lines `--! Login: address / password` of a set. */
async function loginLines(name: string, set: string): Promise<{ email: string; password: string }[]> {
  const texts = await Promise.all((await seedFiles(name, set)).map((path) => readFile(path, "utf8")));
  const lines = texts.flatMap((text) => [...text.matchAll(/^--! Login: (\S+) \/ (\S+)$/gm)]);
  return lines.map(([, email = "", password = ""]) => ({ email, password }));
}
