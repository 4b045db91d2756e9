import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { insert } from "../table-cases.ts";
import { assess, passCheck, setStatus, stateOf } from "./business-steps.ts";
import { seeded } from "./cases/seeded.ts";

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("kyb", ["reference", "dev"]);
});
afterAll(() => database?.stop());

/** Runs a test as the application and rolls its changes back. */
const asApp = (use: () => Promise<void>) => inTransaction(database.app, "rollback", use);

describe("a business", () => {
  it("goes from draft to active once it is assessed and compliant", async () => {
    await asApp(async () => {
      const id = seeded.draft;
      await setStatus(database.app, id, "pending_review", ", submitted_at = now()");
      await assess(database.app, id, { risk_score: 20, risk_level: "low" });
      await passCheck(database.app, id);
      await setStatus(database.app, id, "active", ", verified_at = now()");
      expect(await stateOf(database.app, id)).toEqual({
        status: "active",
        risk_level: "low",
        compliance_status: "compliant",
      });
    });
  });

  it.each([
    ["is not compliant", { risk_score: 20, risk_level: "low" }, false, "compliance is not_checked, risk is low"],
    [
      "is a critical risk",
      { risk_score: 80, risk_level: "critical" },
      true,
      "compliance is compliant, risk is critical",
    ],
  ])("does not become active while it %s", async (_, risk, checked, reason) => {
    await asApp(async () => {
      const id = seeded.draft;
      await setStatus(database.app, id, "pending_review", ", submitted_at = now()");
      await assess(database.app, id, risk);
      if (checked) await passCheck(database.app, id);
      const error = await refusal(setStatus(database.app, id, "active", ", verified_at = now()"));
      expect(error.message).toBe(`business ${id} may not become active: ${reason}`);
      expect(error.code).toBe("23001");
    });
  });

  it("does not become active in a prohibited industry", async () => {
    await asApp(async () => {
      const id = seeded.draft;
      await setStatus(database.app, id, "pending_review", ", submitted_at = now()");
      await assess(database.app, id, { risk_score: 20, risk_level: "low" });
      await passCheck(database.app, id);
      const code = {
        code_system: "SIC",
        industry_code: "3484",
        confidence_score: 0.9,
        method: "model",
        source: "test",
      };
      await insert(database.app, "business_classifications", { business_id: id, is_primary: true, ...code });
      const error = await refusal(setStatus(database.app, id, "active", ", verified_at = now()"));
      expect(error.message).toBe(`business ${id} may not become active: its industry SIC 3484 is prohibited`);
    });
  });

  it.each([
    ["coffee", "draft"],
    ["coffee", "rejected"],
    ["draft", "active"],
    ["studio", "suspended"],
  ] as const)("refuses a wrong status change of %s to %s", async (name, status) => {
    const id = seeded[name];
    const before = await stateOf(database.app, id);
    const error = await refusal(setStatus(database.app, id, status, ", status_reason = 'test', verified_at = now()"));
    expect(error.message).toBe(`business ${id} may not go from ${before?.status} to ${status}`);
  });

  it("starts as draft or pending review, without risk or compliance results", async () => {
    const row = {
      legal_name: "New Ltd",
      registration_country: "GB",
      registration_number: "NEW1",
      legal_form: "other",
      country_code: "GB",
      created_by: seeded.test,
    };
    const closed = insert(database.app, "businesses", { ...row, status: "closed", closed_at: "2030-01-01" });
    expect((await refusal(closed)).message).toBe("a business begins as draft or pending_review, not closed");
    const compliant = insert(database.app, "businesses", { ...row, compliance_status: "compliant" });
    expect((await refusal(compliant)).message).toBe("a business begins without a risk and not checked");
  });

  it("takes its risk and compliance only from their tables", async () => {
    for (const change of ["risk_score = 1", "compliance_status = 'non_compliant'"]) {
      const error = await refusal(database.app.query(`update businesses set ${change} where id = $1`, [seeded.coffee]));
      expect(error.message).toBe(`risk and compliance of business ${seeded.coffee} are not set by hand`);
    }
  });

  it("can be hidden but not deleted by the app, and neither can its records", async () => {
    for (const table of ["users", "businesses", "business_classifications", "compliance_checks", "api_keys"]) {
      const error = await refusal(database.app.query(`delete from ${table}`));
      expect(error.message).toBe(`permission denied for table ${table}`);
    }
  });
});
