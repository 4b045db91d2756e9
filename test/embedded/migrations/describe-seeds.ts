import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as kit from "../../../scripts/seed/apply.ts";
import { clearSeeds } from "../../../scripts/seed/clear.ts";
import { cloneRoot } from "../../clone-root.ts";
import { contents, count } from "./contents.ts";
import { applySeeds, type MigratedDatabase, seedFiles, startMigratedDatabase } from "./migrated-database.ts";

/*
 * A database's seeds.test.ts calls `describeSeeds("name", { figures: { … }, … })`. Separate tests in the same file
 * check what its rows mean together (books that add up).
 */

/** Facts of a database's seeds. */
export interface SeedFacts {
  /** Row counts of tables after each set, in the order in which the sets are applied. `reference` has 0 people. */
  figures: Record<string, Record<string, number>>;
  /** Tables that stay empty on purpose, such as one-time tokens. */
  empty?: readonly string[];
  /** Table and columns of the people who log in, if there are any. */
  logins?: LoginFacts;
}

/** Table and columns of the people who log in. */
export interface LoginFacts {
  table: string;
  email: string;
  hash: string;
  /**
   * SQL condition: the person may log in. Each such person has a line `--! Login: address / password` in a seed file.
   */
  active: string;
}

/** Columns that most databases use. */
export const usersWithStatus: LoginFacts = {
  table: "users",
  email: "email",
  hash: "password_hash",
  active: "status = 'active'",
};

/** Defines the tests of a database's seeds. */
export function describeSeeds(name: string, { figures, empty = [], logins = usersWithStatus }: SeedFacts): void {
  const sets = Object.keys(figures);
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase(name);
  });
  afterAll(() => database?.stop());

  // Each test uses the sets that the tests before it applied.
  describe("seeds", () => {
    it.each(Object.entries(figures))("of the %s set insert the expected number of rows", async (set, tables) => {
      await applySeeds(database, set);
      for (const [table, rows] of Object.entries(tables))
        expect(await count(database.migrator, table), table).toBe(rows);
    });

    it("let every named person log in with the given password, and name every active person", async () => {
      const { superuser } = database;
      await superuser.query(
        "create schema crypto; create extension if not exists pgcrypto schema crypto; set search_path = public, crypto",
      );
      const named = (await Promise.all(sets.map((set) => loginLines(name, set)))).flat();
      const { table, email, hash, active } = logins;
      for (const login of named) {
        // pgcrypto knows the algorithm by its older name.
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

    it("have a title each, and the reference set has no login", async () => {
      for (const set of sets) {
        for (const path of await seedFiles(name, set))
          expect(await readFile(path, "utf8"), basename(path)).toMatch(/^--! Title: \S.*\n/);
      }
      expect(await loginLines(name, "reference")).toEqual([]);
    });

    it("change no row if they are applied again, including updated_at and audit", async () => {
      const before = await contents(database.migrator);
      for (const set of sets) await applySeeds(database, set);
      expect(await contents(database.migrator)).toEqual(before);
    });

    it("put rows into every table except those that are empty on purpose", async () => {
      const without = Object.entries(await contents(database.migrator)).filter(([, digest]) =>
        digest.startsWith("0 rows"),
      );
      expect(without.map(([table]) => table)).toEqual([...empty].sort());
    });
  });

  describe("seed clear", () => describeClearing(name, sets));
}

function describeClearing(name: string, sets: readonly string[]): void {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase(name);
  });
  afterAll(() => database?.stop());

  it("removes every seeded row, including those that triggers wrote", async () => {
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

/** Returns the lines `--! Login: address / password` of a set. */
async function loginLines(name: string, set: string): Promise<{ email: string; password: string }[]> {
  const texts = await Promise.all((await seedFiles(name, set)).map((path) => readFile(path, "utf8")));
  const lines = texts.flatMap((text) => [...text.matchAll(/^--! Login: (\S+) \/ (\S+)$/gm)]);
  return lines.map(([, email = "", password = ""]) => ({ email, password }));
}
