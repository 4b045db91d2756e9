import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { assess, stateOf } from "./business-steps.ts";
import { seeded } from "./cases/seeded.ts";

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("kyb", ["reference", "dev"]);
});
afterAll(() => database?.stop());

/** Runs a test as the application and rolls its changes back. */
const asApp = (use: () => Promise<void>) => inTransaction(database.app, "rollback", use);

describe("a risk assessment", () => {
  it("supersedes the previous one and shows in the business", async () => {
    await asApp(async () => {
      await assess(database.app, seeded.coffee, { risk_score: 60, risk_level: "high" });
      const { rows } = await database.app.query(
        `select risk_score, superseded_at = now() as superseded_now, superseded_at is null as is_current
         from risk_assessments where business_id = $1 order by assessed_at desc limit 2`,
        [seeded.coffee],
      );
      expect(rows).toEqual([
        { risk_score: "60.00", superseded_now: null, is_current: true },
        { risk_score: "12.00", superseded_now: true, is_current: false },
      ]);
      expect(await stateOf(database.app, seeded.coffee)).toMatchObject({ risk_level: "high" });
    });
  });

  it("is refused if it is older than the current one", async () => {
    const error = await refusal(
      assess(database.app, seeded.coffee, {
        risk_score: 60,
        risk_level: "high",
        assessed_at: "2020-01-01",
        valid_until: "2021-01-01",
      }),
    );
    expect(error.message).toMatch(new RegExp(`^business ${seeded.coffee} has been assessed at .*, after 2020-01-01`));
  });

  it("supersedes nothing if it is inserted again with ON CONFLICT", async () => {
    await asApp(async () => {
      await database.app.query(
        `insert into risk_assessments select (row).* from (
           select jsonb_populate_record(risk_assessments, jsonb_build_object('assessed_at', now(), 'valid_until', now() + interval '1 day')) as row
           from risk_assessments where business_id = $1 and superseded_at is null) as copy
         on conflict (id) do nothing`,
        [seeded.coffee],
      );
      const { rows } = await database.app.query(
        "select count(*)::int as current from risk_assessments where business_id = $1 and superseded_at is null",
        [seeded.coffee],
      );
      expect(rows).toEqual([{ current: 1 }]);
    });
  });

  it("cannot start as superseded, even if the app declares maintenance", async () => {
    await asApp(async () => {
      await database.app.query("set local app.maintenance = 'on'");
      const error = await refusal(
        assess(database.app, seeded.coffee, { risk_score: 60, risk_level: "high", superseded_at: "2999-01-01" }),
      );
      expect(error.message).toBe("an assessment begins as the current one");
    });
  });

  it("is the only current one if two are made at once", async () => {
    const { server, migrator } = database;
    const first = await database.connect(server.as("app", "kyb"));
    const second = await database.connect(server.as("app", "kyb"));
    const sql = `insert into risk_assessments (business_id, assessment_type, model_version, risk_score, risk_level, assessed_at, valid_until)
      values ('${seeded.charity}', 'event', 'race', $1, 'low', clock_timestamp(), '2999-01-01')`;
    await first.query("begin");
    await first.query(sql, [10]);
    const waiting = second.query(sql.replace("clock_timestamp()", "clock_timestamp() + interval '1 minute'"), [20]);
    await first.query("commit");
    await waiting;
    const { rows } = await migrator.query(
      `select risk_score, (select risk_score from businesses where id = business_id) as shown
       from risk_assessments where business_id = $1 and superseded_at is null`,
      [seeded.charity],
    );
    expect(rows).toEqual([{ risk_score: "20.00", shown: "20.00" }]);
    expect((await migrator.query("select * from integrity_findings()")).rows).toEqual([]);
  });
});
