import { beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../../scripts/connection/connection.ts";
import { exitCode } from "../../../../../scripts/core/operation-error.ts";
import { applyMigrations } from "../../../../../scripts/migrate/apply.ts";
import { lintTarget, requireNoErrors } from "../../../../../scripts/migrate/lint/pending.ts";
import { readTableStates } from "../../../../../scripts/migrate/lint/table-states.ts";
import { databasePerTest } from "../database-per-test.ts";

const test = databasePerTest();
const { folderOf, query } = test;
let connection: Connection;
beforeEach(() => {
  connection = test.connection;
});

const base = {
  name: "base",
  body: `create table orders (id int primary key, a text);
         create index orders_a on orders (a);
         create schema audit;
         create table audit."Log" (id int, at date) partition by range (at);
         create table audit.log_1 partition of audit."Log" default;`,
};

describe("the state of a table", () => {
  it("is reported by name; an index counts as its table, a partitioned table as its partitions", async () => {
    const { folder } = await folderOf([base]);
    await applyMigrations({ connection, folder });
    const states = () =>
      withClient(connection, async (client) =>
        Object.fromEntries(await readTableStates(client, ["orders", "orders_a", "audit.Log", "nowhere"])),
      );
    expect(await states()).toEqual({ orders: "empty", orders_a: "empty", "audit.Log": "empty", nowhere: "absent" });
    await query(`insert into orders values (1); insert into audit."Log" values (1, '2020-01-01')`);
    expect(await states()).toEqual({ orders: "rows", orders_a: "rows", "audit.Log": "rows", nowhere: "absent" });
  });

  it("counts as rows while another session has the table locked", async () => {
    const { folder } = await folderOf([base]);
    await applyMigrations({ connection, folder });
    await withClient(connection, async (other) => {
      await other.query("begin; lock table orders in access exclusive mode");
      const states = await withClient(connection, (client) => readTableStates(client, ["orders"]));
      expect([...states]).toEqual([["orders", "rows"]]);
    });
  });
});

describe("the check of pending migrations", () => {
  const drafts = [
    base,
    { name: "made", body: "create table extra (a int);" },
    { name: "indexes", body: "create index on extra (a);\ncreate index on orders (a);\ndrop index orders_a;" },
  ];
  const found = async (folder: string) =>
    (await lintTarget(connection, folder)).findings.map(({ file, line, rule }) => `${file}:${line} ${rule}`);

  it("depends on what the database holds: nothing, empty tables, rows", async () => {
    const { folder } = await folderOf(drafts);
    expect(await found(folder)).toEqual([]);
    await applyMigrations({ connection, folder, to: "1" });
    expect(await found(folder)).toEqual([]);
    await query("insert into orders values (1)");
    expect(await found(folder)).toEqual([
      "000003-indexes.sql:5 require-concurrent-index-creation",
      "000003-indexes.sql:6 require-concurrent-index-deletion",
    ]);
    await applyMigrations({ connection, folder });
    expect(await lintTarget(connection, folder)).toEqual({ files: 0, findings: [], exceptions: [] });
  });

  it("ends at the given file", async () => {
    const { folder } = await folderOf(drafts);
    expect((await lintTarget(connection, folder, { to: "2" })).files).toBe(2);
  });

  it("refuses errors, but not warnings", async () => {
    const { folder } = await folderOf([base, { name: "two", body: "create table two (at timestamp);" }]);
    await applyMigrations({ connection, folder, to: "1" });
    const report = await lintTarget(connection, folder);
    expect(report.findings.map(({ rule }) => rule)).toEqual(["prefer-timestamp-tz"]);
    expect(() => requireNoErrors(report)).not.toThrow();
    const finding = { file: "000003-x.sql", line: 4, column: 1, message: "Dropping.", help: null, rule: "ban" };
    const refused = { ...report, findings: [...report.findings, { ...finding, level: "error" as const }] };
    expect(() => requireNoErrors(refused)).toThrow(
      expect.objectContaining({
        message: "Pending migrations are unsafe on a database in use:\n000003-x.sql:4:1: error ban: Dropping.",
        exitCode: exitCode.notAllowed,
      }),
    );
  });
});
