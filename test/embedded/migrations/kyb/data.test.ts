import { randomBytes, randomUUID } from "node:crypto";
import type { Kysely } from "kysely";
import {
  AlreadyExistsError,
  InvalidValueError,
  NoActorError,
  NotAllowedError,
  NotFoundError,
  OverlapError,
  type Pool,
  RelatedRowError,
  RuleViolationError,
  VersionConflictError,
  withRequestContext,
} from "pgroundwork";
import { kyselyOn } from "pgroundwork/kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as apiKeyPermissions from "../../../../migrations/kyb/data/api-key-permissions.ts";
import * as apiKeys from "../../../../migrations/kyb/data/api-keys.ts";
import * as auditLogs from "../../../../migrations/kyb/data/audit-logs.ts";
import * as classifications from "../../../../migrations/kyb/data/business-classifications.ts";
import * as businesses from "../../../../migrations/kyb/data/businesses.ts";
import * as checks from "../../../../migrations/kyb/data/compliance-checks.ts";
import * as verifications from "../../../../migrations/kyb/data/email-verification-tokens.ts";
import * as calls from "../../../../migrations/kyb/data/external-service-calls.ts";
import * as industryCodes from "../../../../migrations/kyb/data/industry-codes.ts";
import * as resets from "../../../../migrations/kyb/data/password-reset-tokens.ts";
import * as permissions from "../../../../migrations/kyb/data/permissions.ts";
import * as risks from "../../../../migrations/kyb/data/risk-assessments.ts";
import * as assignments from "../../../../migrations/kyb/data/role-assignments.ts";
import * as rolePermissions from "../../../../migrations/kyb/data/role-permissions.ts";
import * as roles from "../../../../migrations/kyb/data/roles.ts";
import * as blacklist from "../../../../migrations/kyb/data/token-blacklist.ts";
import * as users from "../../../../migrations/kyb/data/users.ts";
import * as webhookEvents from "../../../../migrations/kyb/data/webhook-events.ts";
import * as webhooks from "../../../../migrations/kyb/data/webhooks.ts";
import type { DB } from "../../../../migrations/kyb/types.ts";
import { type MigratedDatabase, startMigratedDatabase } from "../migrated-database.ts";
import { callWithHostileTexts, poolOf } from "../pool.ts";

const officer = "20000000-0000-4000-8000-000000000002";
const analyst = "20000000-0000-4000-8000-000000000003";
const nobody = randomUUID();

let database: MigratedDatabase;
let pool: Pool;
let db: Kysely<DB>;
beforeAll(async () => {
  database = await startMigratedDatabase("kyb", ["reference", "dev"]);
  pool = poolOf(database);
  db = kyselyOn<DB>(pool);
});
afterAll(async () => {
  await pool.end();
  await database.stop();
});

/** Runs as the analyst, in one request. */
const as = <T>(userId: string, run: () => Promise<T>) => withRequestContext({ userId, requestId: "data-test" }, run);
const hash = () => randomBytes(32).toString("hex");
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);
const registration = () => randomBytes(6).toString("hex").toUpperCase();
const password = "$2b$10$.....................................................";

function newBusiness(name = "Acme Ltd") {
  return {
    legal_name: name,
    registration_country: "GB",
    registration_number: registration(),
    legal_form: "limited_company" as const,
    country_code: "GB",
  };
}

function newUser(email = `${randomUUID()}@example.com`) {
  return { email, username: `u${randomBytes(5).toString("hex")}`, password_hash: password, full_name: "Una User" };
}

describe("businesses", () => {
  it("are created, read, changed by version, listed and found by the acting user, and hidden when deleted", () =>
    as(analyst, async () => {
      const created = await businesses.createBusiness(db, newBusiness("Zebra 100% Ltd"));
      expect(created).toMatchObject({ created_by: analyst, status: "draft", version: 1 });
      expect(await businesses.readBusiness(db, created.id)).toEqual(created);
      const changed = await businesses.updateBusiness(db, created.id, 1, {
        city: "Leeds",
        annual_revenue: "12345678901234.56",
        revenue_currency: "GBP",
      });
      expect(changed).toMatchObject({ version: 2, city: "Leeds", annual_revenue: "12345678901234.56" });
      await expect(businesses.updateBusiness(db, created.id, 1, { city: "York" })).rejects.toThrow(
        VersionConflictError,
      );
      expect(await businesses.submitBusiness(db, created.id, 2)).toMatchObject({
        status: "pending_review",
        version: 3,
      });
      expect((await businesses.searchBusinesses(db, "100%")).rows.map(({ id }) => id)).toEqual([created.id]);
      const { registration_country: country, registration_number: number } = created;
      expect(await businesses.findBusinessByRegistration(db, country, number)).toMatchObject({ id: created.id });
      await businesses.deleteBusiness(db, created.id, 3);
      await expect(businesses.readBusiness(db, created.id)).rejects.toThrow(NotFoundError);
      await expect(businesses.deleteBusiness(db, created.id, 4)).rejects.toThrow(NotFoundError);
      const { rows } = await auditLogs.searchAuditRecords(db, "businesses");
      expect(
        rows.filter(({ resource_id }) => resource_id === created.id).map(({ action, user_id }) => [action, user_id]),
      ).toEqual([
        ["update", analyst],
        ["update", analyst],
        ["update", analyst],
        ["insert", analyst],
      ]);
    }));

  it("are refused with the error of each rule that they break", () =>
    as(analyst, async () => {
      const first = await businesses.createBusiness(db, newBusiness());
      const again = { ...newBusiness(), registration_number: first.registration_number };
      await expect(businesses.createBusiness(db, again)).rejects.toMatchObject({
        constructor: AlreadyExistsError,
        constraint: "businesses_registration_key",
        table: "businesses",
      });
      const wrong = (change: object) => businesses.createBusiness(db, { ...newBusiness(), ...change });
      await expect(wrong({ country_code: "England" })).rejects.toMatchObject({
        constraint: "businesses_country_code_check",
      });
      await expect(wrong({ legal_name: null })).rejects.toMatchObject({
        constructor: InvalidValueError,
        column: "legal_name",
      });
      await expect(wrong({ annual_revenue: "a lot" })).rejects.toThrow(InvalidValueError);
      await expect(wrong({ assigned_to: nobody })).rejects.toThrow(RelatedRowError);
      await expect(wrong({ status: "active" })).rejects.toThrow(RuleViolationError);
      await expect(businesses.updateBusiness(db, first.id, 1, { risk_score: "1" })).rejects.toThrow(RuleViolationError);
      await expect(businesses.readBusiness(db, "not a uuid")).rejects.toThrow(InvalidValueError);
      await expect(businesses.updateBusiness(db, nobody, 1, { city: "York" })).rejects.toThrow(NotFoundError);
    }));

  it("are listed page by page without a gap or a repetition, while others are created", () =>
    as(analyst, async () => {
      for (let index = 0; index < 7; index += 1) await businesses.createBusiness(db, newBusiness(`Paged ${index}`));
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await businesses.listBusinesses(db, { status: "draft" }, { limit: 3, after });
        seen.push(...page.rows.map(({ id }) => id));
        after = page.next;
        await businesses.createBusiness(db, newBusiness("Meanwhile"));
      } while (after !== undefined && seen.length < 100);
      const { rows } = await businesses.listBusinesses(db, { status: "draft" }, { limit: 500 });
      const old = rows.filter(({ legal_name }) => legal_name !== "Meanwhile").map(({ id }) => id);
      expect(seen).toEqual(expect.arrayContaining(old));
      expect(new Set(seen).size).toBe(seen.length);
      for (const after of ["", "x", "bnVsbA", Buffer.from('[{"a":1},2]').toString("base64url")])
        if (after !== "") await expect(businesses.listBusinesses(db, {}, { after })).rejects.toThrow(InvalidValueError);
      for (const limit of [0, 501, 1.5, Number.NaN])
        await expect(businesses.listBusinesses(db, {}, { limit })).rejects.toThrow(InvalidValueError);
    }));

  it("are not changed without an author", async () => {
    await expect((async () => businesses.createBusiness(db, newBusiness()))()).rejects.toThrow(NoActorError);
    await expect((async () => roles.createRole(db, { name: "ghost", description: "none" }))()).rejects.toThrow(
      NoActorError,
    );
  });
});

describe("what is found out about a business", () => {
  it("is recorded in classifications, assessments and checks, which end but stay", () =>
    as(officer, async () => {
      const { id } = await businesses.createBusiness(db, newBusiness());
      const classification = await classifications.createClassification(db, {
        ...{ business_id: id, code_system: "NAICS", industry_code: "311920", confidence_score: "0.9", method: "model" },
        ...{ source: "data-test", is_primary: true },
      });
      expect(await classifications.readClassification(db, classification.id)).toEqual(classification);
      await classifications.deleteClassification(db, classification.id);
      const listed = await classifications.listClassifications(db, { businessId: id });
      expect(listed.rows).toMatchObject([{ superseded_at: expect.any(String) }]);
      expect((await classifications.searchClassifications(db, "data-test")).rows).toHaveLength(1);
      const changed = classifications.updateClassification(db, classification.id, { source: "other" } as object);
      await expect(changed).rejects.toThrow(RuleViolationError);

      const assessment = (risk_score: string, risk_level: "low" | "medium") =>
        risks.createRiskAssessment(db, {
          ...{ business_id: id, assessment_type: "onboarding", model_version: "data-test-1", risk_score, risk_level },
          ...{ valid_until: inDays(90), risk_factors: JSON.stringify([{ kind: "country" }]) },
        });
      const first = await assessment("10", "low");
      const second = await assessment("30", "medium");
      expect(second.risk_factors).toEqual([{ kind: "country" }]);
      expect((await risks.readRiskAssessment(db, first.id)).superseded_at).not.toBeNull();
      expect((await risks.listRiskAssessments(db, { businessId: id })).rows).toHaveLength(2);
      expect((await risks.searchRiskAssessments(db, "data-test")).rows).toHaveLength(2);
      expect(await businesses.readBusiness(db, id)).toMatchObject({ risk_level: "medium", risk_score: "30.00" });
      await expect(assessment("30", "low")).rejects.toMatchObject({ constraint: "risk_assessments_level_fits_score" });

      const check = await checks.createComplianceCheck(db, {
        business_id: id,
        check_type: "sanctions",
        provider: "data-test",
      });
      expect(check.requested_by).toBe(officer);
      await checks.updateComplianceCheck(db, check.id, { status: "in_progress", started_at: new Date() });
      await checks.updateComplianceCheck(db, check.id, { status: "needs_review" });
      const reviewed = await checks.reviewComplianceCheck(db, check.id, {
        passed: true,
        validUntil: inDays(30),
        note: "fine",
      });
      expect(reviewed).toMatchObject({ status: "passed", reviewed_by: officer });
      const other = await checks.createComplianceCheck(db, {
        business_id: id,
        check_type: "tax",
        provider: "data-test",
      });
      await checks.deleteComplianceCheck(db, other.id);
      expect(await checks.readComplianceCheck(db, other.id)).toMatchObject({ status: "cancelled" });
      expect((await checks.listComplianceChecks(db, { businessId: id })).rows).toHaveLength(2);
      expect((await checks.searchComplianceChecks(db, "data-t")).rows).toHaveLength(2);
    }));
});

describe("users, roles and permissions", () => {
  it("are created, changed, assigned, revoked and deleted", () =>
    as(officer, async () => {
      const user = await users.createUser(db, newUser());
      expect(await users.updateUser(db, user.id, { company: "Umbrella & Co" })).toMatchObject({
        company: "Umbrella & Co",
      });
      expect((await users.searchUsers(db, "umbrella & ")).rows.map(({ id }) => id)).toEqual([user.id]);
      expect(await users.findUserByLogin(db, user.email.toUpperCase())).toMatchObject({ id: user.id });
      await users.recordLogin(db, user.id, { ip: "192.0.2.1", succeeded: false });
      expect(await users.readUser(db, user.id)).toMatchObject({ failed_login_attempts: 1 });
      await users.recordLogin(db, user.id, { ip: "192.0.2.1", succeeded: true });
      expect(await users.readUser(db, user.id)).toMatchObject({ failed_login_attempts: 0, last_login_ip: "192.0.2.1" });
      await expect(users.createUser(db, newUser(user.email))).rejects.toMatchObject({ constraint: "users_email_key" });
      expect((await users.listUsers(db, { status: "pending" })).rows.map(({ id }) => id)).toContain(user.id);

      const role = await roles.createRole(db, { name: "data_tester", description: "Tests data" });
      expect(await roles.updateRole(db, role.id, { description: "Tests it" })).toMatchObject({
        description: "Tests it",
      });
      const permission = await permissions.createPermission(db, {
        resource: "data",
        action: "test",
        description: "Test",
      });
      expect(permission.name).toBe("data:test");
      await permissions.updatePermission(db, permission.id, { description: "To test" });
      await rolePermissions.createRolePermission(db, { role_id: role.id, permission_id: permission.id });
      expect((await rolePermissions.listRolePermissions(db, { roleId: role.id })).rows).toHaveLength(1);
      await rolePermissions.readRolePermission(db, role.id, permission.id);
      await rolePermissions.deleteRolePermission(db, role.id, permission.id);

      const assign = () =>
        assignments.createRoleAssignment(db, { user_id: user.id, role_id: role.id, reason: "data-test" });
      const assignment = await assign();
      expect(assignment.assigned_by).toBe(officer);
      await expect(assign()).rejects.toThrow(OverlapError);
      await assignments.updateRoleAssignment(db, assignment.id, { expires_at: inDays(1) });
      await assignments.deleteRoleAssignment(db, assignment.id, "done");
      expect(await assignments.readRoleAssignment(db, assignment.id)).toMatchObject({ revoked_by: officer });
      expect((await assignments.searchRoleAssignments(db, "data-test")).rows).toHaveLength(1);
      expect((await assignments.listRoleAssignments(db, { userId: user.id })).rows).toHaveLength(1);
      await expect(roles.deleteRole(db, role.id)).rejects.toThrow(RelatedRowError);
      await permissions.deletePermission(db, permission.id);
      expect((await permissions.searchPermissions(db, "data:")).rows).toEqual([]);
      expect((await roles.searchRoles(db, "data_tester")).rows).toHaveLength(1);
      expect((await roles.listRoles(db, { limit: 2 })).next).toBeDefined();
      expect((await permissions.listPermissions(db)).rows.length).toBeGreaterThan(5);

      await users.deleteUser(db, user.id);
      await expect(users.readUser(db, user.id)).rejects.toThrow(NotFoundError);
      expect((await users.createUser(db, newUser(user.email))).email).toBe(user.email);
    }));

  it("have keys that are found by their hash until they are revoked", () =>
    as(analyst, async () => {
      const key = await apiKeys.createApiKey(db, {
        user_id: analyst,
        name: "data-test",
        key_prefix: `k${randomBytes(5).toString("hex")}`,
        key_hash: hash(),
      });
      expect(await apiKeys.findApiKey(db, key.key_hash)).toMatchObject({ id: key.id });
      await apiKeys.countApiKeyUse(db, key.id, { requests: 3, ip: "192.0.2.7" });
      expect(await apiKeys.readApiKey(db, key.id)).toMatchObject({ request_count: "3", last_used_ip: "192.0.2.7" });
      expect(await apiKeys.updateApiKey(db, key.id, { allowed_networks: ["192.0.2.0/24"] })).toMatchObject({
        allowed_networks: ["192.0.2.0/24"],
      });
      const [permission] = (await permissions.listPermissions(db, { limit: 1 })).rows;
      const pair = [key.id, permission?.id ?? ""] as const;
      await apiKeyPermissions.createApiKeyPermission(db, { api_key_id: pair[0], permission_id: pair[1] });
      await apiKeyPermissions.readApiKeyPermission(db, ...pair);
      expect((await apiKeyPermissions.listApiKeyPermissions(db, { apiKeyId: key.id })).rows).toHaveLength(1);
      await apiKeyPermissions.deleteApiKeyPermission(db, ...pair);
      await apiKeys.deleteApiKey(db, key.id, "rotated");
      expect(await apiKeys.findApiKey(db, key.key_hash)).toBeUndefined();
      await expect(apiKeys.deleteApiKey(db, key.id, "again")).rejects.toThrow(NotFoundError);
      expect((await apiKeys.searchApiKeys(db, "data-test")).rows).toHaveLength(1);
      expect((await apiKeys.listApiKeys(db, { userId: analyst })).rows.map(({ id }) => id)).toContain(key.id);
    }));

  it("have tokens that work once, also for requests at the same moment", async () => {
    const of = { user_id: analyst, expires_at: inDays(1) };
    const verification = await verifications.createVerificationToken(db, {
      ...of,
      email: "a@example.com",
      token_hash: hash(),
    });
    const reset = await resets.createResetToken(db, { ...of, token_hash: hash() });
    const used = await Promise.all([1, 2, 3].map(() => resets.useResetToken(db, reset.token_hash)));
    expect(used.filter((token) => token !== undefined)).toHaveLength(1);
    expect(await verifications.useVerificationToken(db, verification.token_hash)).toMatchObject({
      id: verification.id,
    });
    expect(await verifications.useVerificationToken(db, verification.token_hash)).toBeUndefined();
    expect((await verifications.searchVerificationTokens(db, "a@example")).rows).toHaveLength(1);
    expect((await verifications.listVerificationTokens(db, { userId: analyst })).rows).toHaveLength(1);
    expect((await resets.listResetTokens(db, { userId: analyst })).rows.map(({ id }) => id)).toContain(reset.id);
    await resets.readResetToken(db, reset.id);
    await verifications.readVerificationToken(db, verification.id);
    await as(analyst, async () => {
      await resets.deleteResetToken(db, reset.id);
      await verifications.deleteVerificationToken(db, verification.id);
      const token = await blacklist.createBlacklistedToken(db, {
        ...{ token_id: randomUUID(), user_id: analyst, token_type: "access", reason: "logout", expires_at: inDays(1) },
      });
      expect(await blacklist.isBlacklisted(db, token.token_id)).toBe(true);
      expect(
        (await blacklist.listBlacklistedTokens(db, { userId: analyst })).rows.map((each) => each.token_id),
      ).toContain(token.token_id);
      await blacklist.readBlacklistedToken(db, token.token_id);
      await blacklist.deleteBlacklistedToken(db, token.token_id);
      expect(await blacklist.isBlacklisted(db, token.token_id)).toBe(false);
    });
  });
});

describe("webhooks, logs and codes", () => {
  it("deliver each due event to one worker", () =>
    as(analyst, async () => {
      const webhook = await webhooks.createWebhook(db, {
        ...{
          user_id: analyst,
          name: "data-test",
          url: `https://example.com/${randomUUID()}`,
          event_types: ["business.created"],
        },
        secret_ciphertext: randomBytes(48),
      });
      expect(webhook.secret_ciphertext).toBeInstanceOf(Buffer);
      expect(await webhooks.updateWebhook(db, webhook.id, { status: "paused" })).toMatchObject({ status: "paused" });
      const events = [1, 2, 3, 4].map(() =>
        webhookEvents.createWebhookEvent(db, {
          ...{
            webhook_id: webhook.id,
            event_id: randomUUID(),
            event_type: "business.created",
            payload: { name: "Acme" },
          },
        }),
      );
      const [event] = await Promise.all(events);
      expect(event?.payload).toEqual({ name: "Acme" });
      const workers = await Promise.all([1, 2].map(() => webhookEvents.takeDueEvents(db, 100, inDays(1))));
      const taken = workers.flat().filter(({ webhook_id }) => webhook_id === webhook.id);
      expect(new Set(taken.map(({ id }) => id)).size).toBe(4);
      expect(taken).toHaveLength(4);
      const id = event?.id ?? "";
      const done = {
        status: "delivered",
        delivered_at: new Date(),
        next_attempt_at: null,
        last_status_code: 200,
      } as const;
      expect(await webhookEvents.updateWebhookEvent(db, id, done)).toMatchObject({ status: "delivered", attempts: 1 });
      await expect(webhookEvents.updateWebhookEvent(db, id, { status: "pending" })).rejects.toThrow();
      expect((await webhookEvents.listWebhookEvents(db, { webhookId: webhook.id })).rows).toHaveLength(4);
      expect((await webhookEvents.searchWebhookEvents(db, "business.c")).rows.length).toBeGreaterThanOrEqual(4);
      await webhookEvents.readWebhookEvent(db, id);
      await webhookEvents.deleteWebhookEvent(db, id);
      expect((await webhooks.searchWebhooks(db, "data-test")).rows).toHaveLength(1);
      expect((await webhooks.listWebhooks(db, { userId: analyst })).rows.map((each) => each.id)).toContain(webhook.id);
      await webhooks.deleteWebhook(db, webhook.id);
      await expect(webhooks.readWebhook(db, webhook.id)).rejects.toThrow(NotFoundError);
    }));

  it("keep what was recorded", () =>
    as(analyst, async () => {
      const report = await auditLogs.reportAuditRecord(db, {
        action: "report.export",
        resource_type: "businesses",
        resource_id: "all",
      });
      expect(await auditLogs.readAuditRecord(db, report.id)).toMatchObject({
        user_id: analyst,
        request_id: "data-test",
      });
      expect((await auditLogs.listAuditRecords(db, { userId: analyst }, { limit: 1 })).rows).toHaveLength(1);
      const forged = auditLogs.reportAuditRecord(db, {
        action: "insert",
        resource_type: "users",
        resource_id: "1",
        new_data: "{}",
      });
      await expect(forged).rejects.toThrow(RuleViolationError);
      const call = await calls.recordServiceCall(db, {
        ...{
          service: "data-test",
          operation: "look.up",
          method: "GET",
          url: "https://example.com/x",
          outcome: "succeeded",
        },
        ...{ status_code: 200, duration_ms: "12.345", cost: "0.000001" },
      });
      expect(await calls.readServiceCall(db, call.id)).toMatchObject({ duration_ms: "12.345", cost: "0.000001" });
      expect((await calls.listServiceCalls(db, { service: "data-test" })).rows).toHaveLength(1);
      expect((await calls.searchServiceCalls(db, "look")).rows.map(({ id }) => id)).toContain(call.id);
      await expect(database.app.query("delete from audit_logs")).rejects.toThrow("permission denied");
    }));

  it("manage industry codes, if the login may", () =>
    as(officer, async () => {
      const key = { code_system: "SIC", code: "9999" } as const;
      const code = await industryCodes.createIndustryCode(db, { ...key, title: "Data tests" });
      expect(await industryCodes.readIndustryCode(db, key)).toEqual(code);
      await industryCodes.updateIndustryCode(db, key, { inherent_risk: "high" });
      expect((await industryCodes.searchIndustryCodes(db, "data tests")).rows).toHaveLength(1);
      expect(
        (await industryCodes.listIndustryCodes(db, { codeSystem: "SIC" })).rows.map((each) => each.code),
      ).toContain("9999");
      await industryCodes.deleteIndustryCode(db, key);
      await expect(industryCodes.readIndustryCode(db, key)).rejects.toThrow(NotFoundError);
      const readonly = database.server.as("readonly", "kyb");
      const reader = (await import("pgroundwork")).createPool({
        env: {},
        max: 1,
        connection: { ...readonly, hosts: [readonly] },
      });
      const refused = industryCodes.createIndustryCode(kyselyOn<DB>(reader), { ...key, title: "No" });
      await expect(refused).rejects.toThrow(NotAllowedError);
      await reader.end();
    }));
});

it("hostile texts in every parameter change nothing and are never part of a statement", () =>
  as(analyst, async () => {
    const count = async () =>
      (
        await db
          .selectFrom("users")
          .select((eb) => eb.fn.countAll().as("n"))
          .executeTakeFirstOrThrow()
      ).n;
    const before = await count();
    const modules = [
      users,
      businesses,
      classifications,
      risks,
      checks,
      apiKeys,
      auditLogs,
      calls,
      verifications,
      resets,
    ];
    const others = [blacklist, roles, permissions, assignments, webhooks, webhookEvents, industryCodes];
    for (const entity of [...modules, ...others])
      for (const [name, call] of Object.entries(entity as Record<string, (...args: unknown[]) => Promise<unknown>>)) {
        if (/^(search|read|find|use|is)/.test(name)) await callWithHostileTexts((text) => call(db, text));
        if (name.startsWith("list"))
          await callWithHostileTexts((text) =>
            call(db, { userId: text, businessId: text, status: text, service: text }),
          );
      }
    await callWithHostileTexts((text) =>
      businesses.createBusiness(db, { ...newBusiness(text), trade_name: text, city: text, metadata: { [text]: text } }),
    );
    await callWithHostileTexts((text) => users.createUser(db, { ...newUser(), full_name: text, company: text }));
    expect(Number(await count())).toBe(Number(before) + 7);
  }));
