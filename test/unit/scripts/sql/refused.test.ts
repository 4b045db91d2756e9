import { describe, expect, it } from "vitest";
import { refusedStatements } from "../../../../scripts/sql/refused.ts";

async function refused(sql: string, transactional = true): Promise<string[]> {
  const found = await refusedStatements(sql, { transactional });
  return found.map(({ offset, message }) => `${offset}: ${message}`);
}

describe("a file", () => {
  it.each([
    ["begin", "BEGIN begins a transaction"],
    ["BEGIN\n work", "BEGIN WORK begins a transaction"],
    [
      "start transaction isolation level serializable",
      "START TRANSACTION ISOLATION LEVEL SERIALIZABLE begins a transaction",
    ],
    ["commit", "COMMIT ends the transaction of the file"],
    ["commit and chain", "COMMIT AND CHAIN ends the transaction of the file"],
    ["end", "END ends the transaction of the file"],
    ["rollback", "ROLLBACK ends the transaction of the file"],
    ["abort", "ABORT ends the transaction of the file"],
    ["prepare transaction 'x'", "PREPARE TRANSACTION 'X' ends the transaction of the file"],
  ])("in a transaction must not contain %s", async (statement, message) => {
    expect(await refused(`select 1; -- first\n${statement};\nselect 2;`)).toEqual([`19: ${message}`]);
    expect(await refused(statement, false)).toEqual([]);
  });

  it("may contain savepoints, and these words inside of functions, strings and comments", async () => {
    const sql = [
      "savepoint a; rollback to savepoint a; release a;",
      "do $$ begin perform 1; end $$; create function f() returns int begin atomic select 1; end;",
      "-- commit;\n/* rollback; */ select 'begin; commit'; prepare q as select 1; select 1 as commit;",
      'create table "begin" ("commit" text default E\'\\\\ \\\'; begin;\');',
    ].join("\n");
    expect(await refused(sql)).toEqual([]);
  });

  it("must not contain a transaction's end even if another statement has a syntax error or a placeholder", async () => {
    expect(await refused("selec 1; comment on database :DATABASE_NAME is ''; commit;")).toEqual([
      "51: COMMIT ends the transaction of the file",
    ]);
  });

  it.each([
    ["\\d users", "\\d is a command of psql, not SQL"],
    ["\\i other.sql", "\\i is a command of psql, not SQL"],
    ["\\copy t from 'x.csv'", "\\copy is a command of psql, not SQL"],
    ["select 1 \\gexec", "\\gexec is a command of psql, not SQL"],
    ["\\! rm -r x", "\\! is a command of psql, not SQL"],
  ])("must not contain the psql command %s", async (line, message) => {
    const sql = `select '\\d', E'\\\\', $$ \\d $$; -- \\d\n${line}\n`;
    expect(await refused(sql)).toEqual([`${sql.indexOf(line) + line.indexOf("\\")}: ${message}`]);
    expect(await refused(sql, false)).toHaveLength(1);
  });

  it("must not contain rows for COPY FROM stdin, which are not read as statements", async () => {
    const dump = "COPY public.t (a, b) FROM stdin;\n1\tit's; commit;\n2\t\\N\n\\.\n\nselect 1;";
    expect(await refused(dump)).toEqual(["0: COPY t FROM stdin reads rows from the client, as psql sends them"]);
    expect(await refused("copy t from '/srv/rows.csv'; copy t to stdout; copy t from program 'x'")).toEqual([]);
  });

  it("must not drop the records of migrations and seeds", async () => {
    expect(await refused("drop schema if exists other, graphile_migrate cascade;")).toEqual([
      "0: this drops graphile_migrate, which records the migrations and seeds of this database",
    ]);
    expect(await refused("drop table pgroundwork.migration_ledger", false)).toHaveLength(1);
    expect(await refused("drop table graphile_migrate_notes; drop schema app")).toEqual([]);
  });
});
