import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { stateOf } from "./business-steps.ts";
import { check, seeded } from "./cases/seeded.ts";

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("kyb", ["reference", "dev"]);
});
afterAll(() => database?.stop());

/** Runs a test as the application and rolls its changes back. */
const asApp = (use: () => Promise<void>) => inTransaction(database.app, "rollback", use);

describe("a compliance check", () => {
  it("shows in the business once a reviewer has decided it", async () => {
    await asApp(async () => {
      const id = check("golden-gate-jewelers", "pep");
      const pass = "status = 'passed', completed_at = now(), valid_until = now() + interval '1 year'";
      expect(await stateOf(database.app, seeded.jewelers)).toMatchObject({ compliance_status: "under_review" });
      await database.app.query("savepoint before");
      const alone = await refusal(database.app.query(`update compliance_checks set ${pass} where id = $1`, [id]));
      expect(alone.message).toBe(`compliance check ${id} needs a reviewer before it is passed`);
      await database.app.query("rollback to before");
      await database.app.query(
        `update compliance_checks set ${pass}, reviewed_by = $2, reviewed_at = now() where id = $1`,
        [id, seeded.officer],
      );
      expect(await stateOf(database.app, seeded.jewelers)).toMatchObject({ compliance_status: "compliant" });
    });
  });

  it("makes the business non-compliant after a failure, until it is repeated", async () => {
    await asApp(async () => {
      await database.app.query(
        `insert into compliance_checks (business_id, check_type, status, provider, started_at, completed_at)
         values ($1, 'tax', 'failed', 'Test', now(), now())`,
        [seeded.coffee],
      );
      expect(await stateOf(database.app, seeded.coffee)).toMatchObject({ compliance_status: "non_compliant" });
      await database.app.query(
        `insert into compliance_checks (business_id, check_type, status, provider, requested_at, started_at, completed_at, valid_until)
         select $1, 'tax', 'passed', 'Test', time, time, time, time + interval '1 year' from (select now() + interval '1 minute' as time) as later`,
        [seeded.coffee],
      );
      expect(await stateOf(database.app, seeded.coffee)).toMatchObject({ compliance_status: "compliant" });
    });
  });

  it("keeps its subject and its result", async () => {
    const id = check("northwind-coffee", "pep");
    const change = (set: string) =>
      refusal(database.app.query(`update compliance_checks set ${set} where id = $1`, [id]));
    expect((await change("provider = 'Other'")).message).toBe(
      `what compliance check ${id} was to check does not change`,
    );
    expect((await change("score = 1")).message).toBe(`the result of compliance check ${id} does not change`);
    expect((await change("status = 'failed'")).message).toBe(`compliance check ${id} may not go from passed to failed`);
  });

  it("expires and leaves its business pending", async () => {
    await asApp(async () => {
      const { rows } = await database.app.query(
        "select expire_compliance_checks(now() + interval '2 years') > 0 as some",
      );
      expect(rows).toEqual([{ some: true }]);
      expect(await stateOf(database.app, seeded.coffee)).toMatchObject({ compliance_status: "pending" });
      const again = await database.app.query("select expire_compliance_checks(now() + interval '2 years') as expired");
      expect(again.rows).toEqual([{ expired: 0 }]);
    });
  });
});
