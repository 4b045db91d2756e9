import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDatabaseFile } from "../../../scripts/databases/database-file.ts";
import { runJobs } from "../../../scripts/databases/run-jobs.ts";
import { validate } from "../../../scripts/validate/validate.ts";
import { databaseFolder, type MigratedDatabase, sqlFiles, startMigratedDatabase } from "./migrated-database.ts";

const names = ["trading", "learning", "kyb", "pend"] as const;

const jobNames: Record<(typeof names)[number], string[]> = {
  trading: ["create partitions", "drop old partitions"],
  learning: ["refresh_analytics"],
  kyb: ["refresh_analytics", "expire_compliance_checks", "delete_expired_tokens"],
  pend: ["refresh_analytics"],
};

/** Statements of a superuser without triggers that each check must find, by its file. */
const faults: Record<(typeof names)[number], Record<string, string[]>> = {
  trading: {
    "010-balances-equal-the-ledger.sql": [
      "update accounts set balance = balance + 1 where id = (select account_id from account_transactions limit 1)",
      "delete from account_transactions where account_id = (select id from accounts where balance > 0 limit 1)",
    ],
    "020-ledger-has-no-gaps.sql": [
      "delete from account_transactions where sequence_number = 2 and reverses_id is null",
      "update account_transactions set balance_before = balance_before + 1, balance_after = balance_after + 1 where sequence_number = 2",
      "update accounts set last_transaction_number = last_transaction_number + 1 where last_transaction_number > 0",
    ],
    "030-orders-equal-their-fills.sql": [
      "update order_fills set quantity = quantity + 1 where ctid = (select min(ctid) from order_fills)",
      "delete from order_fills",
    ],
    "040-order-life-cycles.sql": [
      "update order_audit set new_status = 'pending_new', old_status = 'filled' where action = 'update' and new_status = 'filled'",
      "update order_audit set old_status = 'pending_cancel' where action = 'update' and old_status = 'new'",
      "update orders set status = 'rejected', reject_reason = 'x', cancelled_at = null where status = 'new'",
    ],
    "050-no-orphaned-audit.sql": [
      "delete from orders where id = (select order_id from order_audit limit 1)",
      "delete from positions where id = (select position_id from position_audit limit 1)",
      "delete from accounts where id = (select account_id from account_audit limit 1)",
    ],
  },
  learning: { "010-integrity-findings.sql": ["delete from topic_mastery"] },
  kyb: {
    "010-integrity-findings.sql": [
      "update businesses set compliance_status = 'under_review' where compliance_status = 'compliant'",
    ],
  },
  pend: { "010-integrity-findings.sql": ["delete from investment_agreements"] },
};

describe.each(names)("the checks of %s", (name) => {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase(name, ["reference", "dev", "demo"]);
  });
  afterAll(() => database?.stop());

  const run = () =>
    validate({
      connection: database.server.connection(name),
      checkConnection: database.server.as("migrator", name),
      folder: databaseFolder(name),
    });

  it("find nothing after all seeds, and neither does the rest of validate", async () => {
    const { subjects, findings } = await run();
    expect(findings).toEqual([]);
    // Their keys are UUIDs, and amcheck is for whoever wants it.
    const without = ["sequences", "amcheck"];
    const outcomes = subjects.map(({ name: subject, state, unknown }) => [subject, state, ...unknown]);
    expect(outcomes).toEqual(
      subjects.map(({ name: subject }) => [subject, without.includes(subject) ? "not available" : "ok"]),
    );
    expect(subjects.at(-1)).toMatchObject({ name: "checks", examined: Object.keys(faults[name]).length });
  });

  it("have a fault that each of them finds", async () => {
    const files = (await sqlFiles(name, "checks")).map((path) =>
      path.slice(join(databaseFolder(name), "checks/").length),
    );
    expect(Object.keys(faults[name])).toEqual(files);
  });

  it.each(Object.entries(faults[name]).flatMap(([file, list]) => list.map((statement) => [file, statement] as const)))(
    "%s finds the rows after: %s",
    async (file, statement) => {
      const { superuser } = database;
      const text = await readFile(join(databaseFolder(name), "checks", file), "utf8");
      await superuser.query("begin; set local session_replication_role = replica");
      try {
        const changed = await superuser.query(statement);
        expect(changed.rowCount).toBeGreaterThan(0);
        expect((await superuser.query(text)).rowCount).toBeGreaterThan(0);
      } finally {
        await superuser.query("rollback");
      }
    },
  );

  it("find nothing after the database's own jobs, each of which runs as its migrator", async () => {
    const { jobs = [] } = await readDatabaseFile(dirname(databaseFolder(name)), name);
    expect(jobs.map((job) => job.name)).toEqual(jobNames[name]);
    const results = await runJobs({
      ...{ connection: database.server.as("migrator", name), jobs, isForced: true, runId: randomUUID() },
      ...{ signal: new AbortController().signal, onStart: () => {}, onMessage: () => {} },
    });
    expect(results.filter(({ outcome }) => outcome !== "succeeded")).toEqual([]);
    expect((await run()).findings).toEqual([]);
  });
});
