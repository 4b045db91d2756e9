import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditCases } from "./cases/audit.ts";
import { liquidityCases } from "./cases/liquidity.ts";
import { marketCases } from "./cases/market.ts";
import { peopleAndAccountsCases } from "./cases/people-and-accounts.ts";
import { riskCases } from "./cases/risk.ts";
import { type Row, seeded, type TableCases } from "./cases/table-cases.ts";
import { inTransaction, refusal, startTradingDatabase, type TradingDatabase } from "./trading-database.ts";

const cases = [...peopleAndAccountsCases, ...marketCases, ...auditCases, ...liquidityCases, ...riskCases];

let database: TradingDatabase;

beforeAll(async () => {
  database = await startTradingDatabase(["reference", "dev"]);
  const { workingOrder, newUser, newInstrument, newProvider, newFill, otherNewFill } = seeded;
  const { migrator } = database;
  for (const [table, id] of Object.entries({
    users: newUser,
    instruments: newInstrument,
    liquidity_providers: newProvider,
  })) {
    await insert(migrator, table, { ...cases.find((each) => each.table === table)?.row(9), id });
  }
  for (const id of [newFill, otherNewFill]) {
    const fill = { id, order_id: workingOrder, venue: "TEST", execution_id: id, quantity: "0.1", price: 1 };
    await insert(migrator, "order_fills", fill);
  }
});
afterAll(() => database?.stop());

describe("every constraint has its case", () => {
  it("every table", async () => {
    const tables = await catalogNames(`
      select relname as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition`);
    expect(cases.map(({ table }) => table).sort()).toEqual(tables);
  });

  it("every check and exclusion constraint", async () => {
    const constraints = await catalogNames(`
      select conname as name from pg_constraint join pg_class on pg_class.oid = conrelid
      where connamespace = 'public'::regnamespace and contype in ('c', 'x') and not relispartition`);
    const covered = cases.flatMap(({ rejects, overlapping }) => [
      ...Object.keys(rejects),
      ...Object.keys(overlapping ?? {}),
    ]);
    // The two exclusion constraints of margin_requirements differ in their first column; one is tried below by itself.
    expect([...covered, "margin_requirements_asset_class_no_overlap"].sort()).toEqual(constraints);
  });
});

describe.each(cases)("$table", (tableCases) => {
  it("accepts its row", async () => {
    await inTransaction(database.migrator, "rollback", async () => {
      await insert(database.migrator, tableCases.table, tableCases.row(1));
      await insert(database.migrator, tableCases.table, tableCases.row(2));
      await database.migrator.query("set constraints all immediate");
    });
  });

  it.each(Object.entries(tableCases.rejects))("%s refuses the row that breaks it", async (constraint, change) => {
    const error = await withoutTriggers((client) =>
      insert(client, tableCases.table, { ...tableCases.row(1), ...change }),
    );
    expect(error).toMatchObject({ code: "23514", constraint });
  });

  it.each(Object.entries(tableCases.overlapping ?? {}))(
    "%s refuses a row that overlaps",
    async (constraint, change) => {
      const error = await withoutTriggers(async (client) => {
        await insert(client, tableCases.table, tableCases.row(1));
        await insert(client, tableCases.table, { ...tableCases.row(2), ...change });
      });
      expect(error).toMatchObject({ code: "23P01", constraint });
    },
  );

  it("refuses a second row with the key of the first, for each unique key", async () => {
    for (const key of await uniqueKeys(tableCases.table)) {
      const both = tableCases.duplicating?.[key.name] ?? {};
      const error = await withoutTriggers(async (client) => {
        const first = await insert(client, tableCases.table, { ...tableCases.row(1), ...both });
        const copied = Object.fromEntries(key.columns.map((column) => [column, first[column]]));
        await insert(client, tableCases.table, { ...tableCases.row(2), ...both, ...copied });
      });
      expect(error.code, key.name).toBe("23505");
      expect(key.names, key.name).toContain(error.constraint);
    }
  });

  it("refuses a reference to a row that is not there, for each foreign key", async () => {
    for (const { name, column, type } of await foreignKeys(tableCases.table)) {
      const lost = { [column]: type === "text" ? "NONE" : seeded.missing };
      const row = { ...tableCases.row(1), ...tableCases.referring?.[name], ...lost };
      const attempt = inTransaction(database.migrator, "rollback", () =>
        insert(database.migrator, tableCases.table, row),
      );
      expect(await refusal(attempt), name).toMatchObject({ code: "23503", constraint: name });
    }
  });
});

it("margin tiers of an asset class refuse one that overlaps", async () => {
  const tier = { asset_class: "equity", account_type: "live", min_notional: 100, initial_rate: 1, maintenance_rate: 1 };
  const error = await withoutTriggers((client) => insert(client, "margin_requirements", tier));
  expect(error).toMatchObject({ code: "23P01", constraint: "margin_requirements_asset_class_no_overlap" });
});

/** Inserts a row and returns it as stored. */
async function insert(client: pg.Client, table: TableCases["table"], row: Row): Promise<Row> {
  const columns = Object.keys(row).map((column) => pg.escapeIdentifier(column));
  const parameters = columns.map((_, index) => `$${index + 1}`);
  const sql = `insert into ${pg.escapeIdentifier(table)} (${columns.join(", ")}) values (${parameters.join(", ")}) returning *`;
  const { rows } = await client.query<Row>(sql, Object.values(row));
  return rows[0] ?? {};
}

/** The refusal of a constraint alone: triggers that would refuse or mend the row first are off. */
async function withoutTriggers(attempt: (client: pg.Client) => Promise<unknown>): Promise<pg.DatabaseError> {
  const { superuser } = database;
  return refusal(
    inTransaction(superuser, "rollback", async () => {
      await superuser.query("set local session_replication_role = replica");
      await attempt(superuser);
    }),
  );
}

async function catalogNames(sql: string): Promise<string[]> {
  const { rows } = await database.migrator.query<{ name: string }>(sql);
  return rows.map(({ name }) => name).sort();
}

interface UniqueKey {
  name: string;
  columns: string[];
  /** Its own name and those of its copies on partitions, which are what an error names. */
  names: string[];
}

async function uniqueKeys(table: string): Promise<UniqueKey[]> {
  const { rows } = await database.migrator.query<UniqueKey>(
    `select index.relname as name,
       (select array_agg(attname::text) from pg_attribute where attrelid = indrelid and attnum = any (indkey::int2[])) as columns,
       array(select relname::text from pg_partition_tree(index.oid) as part join pg_class on pg_class.oid = part.relid)
         || index.relname::text as names
     from pg_index join pg_class as index on index.oid = indexrelid
     where indrelid = $1::regclass and indisunique
       -- A key that holds the primary key is there to be referred to; the primary key answers first.
       and not exists (
         select from pg_index as narrower
         where narrower.indrelid = pg_index.indrelid and narrower.indisprimary and narrower.indexrelid <> pg_index.indexrelid
           and narrower.indkey::int2[] <@ pg_index.indkey::int2[])`,
    [table],
  );
  return rows;
}

async function foreignKeys(table: string): Promise<{ name: string; column: string; type: string }[]> {
  const { rows } = await database.migrator.query<{ name: string; column: string; type: string }>(
    `select conname as name, attname as column, format_type(atttypid, null) as type
     from pg_constraint join pg_attribute on attrelid = conrelid and attnum = conkey[1]
     where conrelid = $1::regclass and contype = 'f' order by conname`,
    [table],
  );
  return rows;
}
