import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { seeded } from "./cases/seeded.ts";

const statuses = ["draft", "submitted", "in_review", "approved", "rejected", "expired", "withdrawn"] as const;
type Status = (typeof statuses)[number];

const allowed: Record<Status, Status[]> = {
  draft: ["submitted", "withdrawn"],
  submitted: ["in_review", "draft", "withdrawn"],
  in_review: ["approved", "rejected", "draft", "withdrawn"],
  approved: ["expired"],
  rejected: [],
  expired: [],
  withdrawn: [],
};
const pairs = statuses.flatMap((from) => statuses.filter((to) => to !== from).map((to) => ({ from, to })));

/** Columns of an application that match its status, which is $1. */
const fitting = `status = $1, submitted_at = now(), risk_rating = 'low',
  reviewed_by = case when $1 in ('approved', 'rejected', 'expired') then '${seeded.compliance}'::uuid end,
  reviewed_at = case when $1 in ('approved', 'rejected', 'expired') then now() end,
  rejection_reason = case when $1 = 'rejected' then 'Test' end,
  valid_until = case when $1 in ('approved', 'expired') then now() + interval '1 year' end`;

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("pend", ["reference", "dev"]);
});
afterAll(() => database?.stop());

describe("a KYC application", () => {
  it.each(pairs)("goes from $from to $to only if its life cycle allows it", async ({ from, to }) => {
    const { migrator } = database;
    const attempt = inTransaction(migrator, "rollback", async () => {
      await migrator.query("set local app.maintenance = 'on'");
      const { rows } = await migrator.query(
        "insert into kyc_applications (user_id, level) values ($1, 1) returning id",
        [seeded.bob],
      );
      await migrator.query(`update kyc_applications set ${fitting} where id = $2`, [from, rows[0].id]);
      await migrator.query("set local app.maintenance = ''");
      await migrator.query(`update kyc_applications set ${fitting} where id = $2`, [to, rows[0].id]);
    });
    if (allowed[from].includes(to)) await attempt;
    else
      expect(await refusal(attempt)).toMatchObject({ code: "23514", constraint: "kyc_applications_status_transition" });
  });

  it("starts as draft or submitted", async () => {
    const error = await refusal(
      database.app.query(
        `insert into kyc_applications (user_id, level, status, submitted_at, risk_rating, reviewed_by, reviewed_at, valid_until)
         values ($1, 3, 'approved', now(), 'low', $2, now(), now() + interval '1 year')`,
        [seeded.dave, seeded.compliance],
      ),
    );
    expect(error.message).toBe("a KYC application begins as draft or submitted, not as approved");
  });

  it("is approved only with reviewed documents, and raises its user's level", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("savepoint undecided");
      const early = await refusal(
        app.query(`update kyc_applications set ${fitting} where id = $2`, ["approved", seeded.application]),
      );
      expect(early).toMatchObject({ code: "23514", constraint: "kyc_applications_approved_has_papers" });
      await app.query("rollback to undecided");

      await app.query(
        "update kyc_documents set status = 'accepted', verified_by = $1, verified_at = now() where application_id = $2",
        [seeded.compliance, seeded.application],
      );
      await app.query(`update kyc_applications set ${fitting} where id = $2`, ["approved", seeded.application]);
      expect(await user(seeded.carol)).toEqual({ kyc_level: 2, tier_code: "verified" });
    });
  });

  it("lowers its user's level and tier when it expires", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      expect(await user(seeded.alice)).toEqual({ kyc_level: 3, tier_code: "premium" });
      await app.query("update kyc_applications set status = 'expired' where id = $1", [seeded.approvedApplication]);
      expect(await user(seeded.alice)).toEqual({ kyc_level: 2, tier_code: "plus" });
    });
  });

  it.each([
    ["another user", `user_id = '${seeded.bob}'`, "kyc_applications_subject_stays"],
    ["another level", "level = 1", "kyc_applications_subject_stays"],
    ["another end", "valid_until = valid_until + interval '1 year'", "kyc_applications_decision_stays"],
  ])("refuses %s after its decision", async (_, change, constraint) => {
    const error = await refusal(
      database.app.query(`update kyc_applications set ${change} where id = $1`, [seeded.approvedApplication]),
    );
    expect(error).toMatchObject({ code: "23514", constraint });
  });

  it("accepts notes after its decision", async () => {
    await inTransaction(database.app, "rollback", async () => {
      const noted = await database.app.query("update kyc_applications set notes = 'Seen' where id = $1", [
        seeded.approvedApplication,
      ]);
      expect(noted.rowCount).toBe(1);
    });
  });
});

describe("a KYC document", () => {
  it.each([
    ["delete from kyc_documents where application_id = $1"],
    ["update kyc_documents set expires_on = null where application_id = $1"],
    [
      `insert into kyc_documents (application_id, document_type, storage_key, sha256, mime_type, size_bytes)
       values ($1, 'selfie', 'late', repeat('1', 64), 'image/png', 1)`,
    ],
  ])("stays unchanged after the decision on its application: %s", async (statement) => {
    const error = await refusal(database.app.query(statement, [seeded.approvedApplication]));
    expect(error.message).toBe("the application is approved and its documents no longer change");
  });

  it("keeps its file", async () => {
    const error = await refusal(
      database.app.query("update kyc_documents set storage_key = 'another' where application_id = $1", [
        seeded.application,
      ]),
    );
    expect(error).toMatchObject({ code: "23514", constraint: "kyc_documents_file_stays" });
  });
});

describe("a user", () => {
  it.each([
    ["a KYC level by hand", "kyc_level = 3", "users_kyc_level_follows_applications"],
    ["a tier above the KYC level", "tier_code = 'plus'", "users_tier_needs_kyc"],
    ["another blockchain address", `blockchain_address = '0x${"9".repeat(40)}'`, "users_address_stays"],
  ])("refuses %s", async (_, change, constraint) => {
    const error = await refusal(database.app.query(`update users set ${change} where id = $1`, [seeded.dave]));
    expect(error).toMatchObject({ code: "23514", constraint });
  });

  it("is forgotten when deleted, and the phone number becomes free", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const { rows } = await app.query("select phone_hash from users where id = $1", [seeded.dave]);
      await app.query(
        `update users set status = 'closed', deleted_at = now(), phone_hash = null, email = null, password_hash = null where id = $1`,
        [seeded.dave],
      );
      const { rowCount } = await app.query("insert into users (phone_hash) values ($1)", [rows[0].phone_hash]);
      expect(rowCount).toBe(1);
      const { rows: profiles } = await app.query("select from user_profiles where user_id = $1", [seeded.dave]);
      expect(profiles).toEqual([]);
    });
  });
});

async function user(id: string) {
  const { rows } = await database.app.query("select kyc_level, tier_code from users where id = $1", [id]);
  return rows[0];
}
