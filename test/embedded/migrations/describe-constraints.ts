import type { Client, DatabaseError } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkAndExclusionConstraints, foreignKeys, tables, uniqueKeys } from "./catalog-queries.ts";
import { readKeysAndIndexes, staleListAdvice, type TableList } from "./keys-and-indexes.ts";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "./migrated-database.ts";
import { insert, missingId, type Row, type TableCases } from "./table-cases.ts";

/*
 * A database's constraints.test.ts calls `describeConstraints("name", [...itsCases])`. Every table and every check has
 * a case. Each check, unique key, foreign key and exclusion constraint accepts one row and rejects one, by its own
 * name. Each NOT NULL column rejects null. Foreign keys and NOT NULL columns are those of keys-and-indexes.json.
 */

/** Options of {@link describeConstraints}. */
export interface ConstraintOptions {
  /** Seed sets that are applied before the cases; default: reference and dev. */
  seedSets?: readonly string[];
  /** Creates further rows that cases refer to. */
  prepare?: (database: MigratedDatabase) => Promise<void>;
}

/** A value for each key type that no row has. */
const missing: Record<string, unknown> = {
  uuid: missingId,
  text: "NONE",
  "character varying": "NONE",
  smallint: 32_767,
  integer: 2_147_483_647,
  bigint: "9223372036854775807",
};

/** Defines the tests of a database's constraints. */
export function describeConstraints(
  name: string,
  cases: readonly TableCases[],
  { seedSets = ["reference", "dev"], prepare }: ConstraintOptions = {},
): void {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase(name, seedSets);
    await prepare?.(database);
  });
  afterAll(() => database?.stop());

  describe("the constraint cases", () => {
    it("cover every table", async () => {
      expect(cases.map(({ table }) => table).sort()).toEqual(await tables(database.migrator));
    });

    it("cover every check and exclusion constraint", async () => {
      const covered = cases.flatMap(({ rejects, overlapping = {} }) => [
        ...Object.keys(rejects),
        ...Object.keys(overlapping),
      ]);
      expect(covered.sort()).toEqual(await checkAndExclusionConstraints(database.migrator));
    });

    it("name only existing foreign and unique keys", async () => {
      for (const { table, referring = {}, duplicating = {} } of cases) {
        const foreign = (await foreignKeys(database.migrator, table)).map((key) => key.name);
        expect(foreign).toEqual(expect.arrayContaining(Object.keys(referring)));
        const unique = (await uniqueKeys(database.migrator, table)).map((key) => key.name);
        expect(unique).toEqual(expect.arrayContaining(Object.keys(duplicating)));
      }
    });
  });

  describe.each(cases)("$table", (tableCases) => {
    const { table, row } = tableCases;

    it("accepts its sample row", async () => {
      const { migrator } = database;
      await inTransaction(migrator, "rollback", async () => {
        await insert(migrator, table, row(1));
        await insert(migrator, table, row(2));
        await migrator.query("set constraints all immediate");
      });
    });

    it.each(Object.entries(tableCases.rejects))("refuses a row that breaks %s", async (constraint, change) => {
      const error = await withoutTriggers(database, (client) => insert(client, table, { ...row(1), ...change }));
      expect(error).toMatchObject({ code: "23514", constraint });
    });

    it.each(Object.entries(tableCases.overlapping ?? {}))(
      "refuses a row that overlaps (%s)",
      async (constraint, change) => {
        const error = await withoutTriggers(database, async (client) => {
          await insert(client, table, row(1));
          await insert(client, table, { ...row(2), ...change });
        });
        expect(error).toMatchObject({ code: "23P01", constraint });
      },
    );

    it("refuses a second row with the same key, for each unique key", async () => {
      for (const key of await uniqueKeys(database.migrator, table)) {
        const both = tableCases.duplicating?.[key.name] ?? {};
        const error = await withoutTriggers(database, async (client) => {
          const first = await insert(client, table, { ...row(1), ...both });
          const copied = Object.fromEntries(key.columns.map((column) => [column, first[column]]));
          await insert(client, table, { ...row(2), ...both, ...copied });
        });
        expect(error.code, key.name).toBe("23505");
        expect(key.names, key.name).toContain(error.constraint);
      }
    });

    it("refuses null in each NOT NULL column", async () => {
      const { notNull } = await listed(name, table);
      for (const column of notNull.split(" ")) {
        const error = await withoutTriggers(database, (client) => insert(client, table, { ...row(1), [column]: null }));
        // PostgreSQL computes a generated column and refuses every value.
        if (error.code !== "428C9") expect(error, column).toMatchObject({ code: "23502", column });
      }
    });

    it("refuses a reference to a missing row, for each foreign key", async () => {
      const keys = await foreignKeys(database.migrator, table);
      const expected = Object.entries((await listed(name, table)).keys).filter(([, key]) =>
        key.startsWith("FOREIGN KEY"),
      );
      expect(keys.map((key) => key.name)).toEqual(expected.map(([key]) => key));
      for (const { name: constraint, column, type } of keys) {
        const lost: Row = { ...row(1), [column]: missing[type], ...tableCases.referring?.[constraint] };
        const error = await refusal(insertWithForeignKeysAlone(database.migrator, table, lost));
        expect(error, constraint).toMatchObject({ code: "23503", constraint });
      }
    });
  });
}

/** Returns the committed list of a table. */
async function listed(name: string, table: string): Promise<TableList> {
  const list = (await readKeysAndIndexes(name))[table];
  if (list === undefined) throw new Error(`${table} is missing. ${staleListAdvice(name)}.`);
  return list;
}

/**
 * Returns the error of a check or key alone. Triggers, including those of foreign keys, are off: they could reject or
 * change the row first.
 */
function withoutTriggers(
  { superuser }: MigratedDatabase,
  attempt: (client: Client) => Promise<unknown>,
): Promise<DatabaseError> {
  return refusal(
    inTransaction(superuser, "rollback", async () => {
      await superuser.query("set local session_replication_role = replica");
      await attempt(superuser);
    }),
  );
}

/** Inserts with the table's own triggers off: they could look for the missing row first. */
function insertWithForeignKeysAlone(migrator: Client, table: string, row: Row): Promise<void> {
  return inTransaction(migrator, "rollback", async () => {
    await migrator.query(`alter table ${table} disable trigger user`);
    await insert(migrator, table, row);
    await migrator.query("set constraints all immediate");
  });
}
