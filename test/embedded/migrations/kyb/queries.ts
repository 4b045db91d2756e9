import type { DatabaseQueries } from "../named-queries.ts";

const busiestCustomer = "select created_by from businesses group by 1 order by count(*) desc, 1 limit 1";
const busiestAnalyst =
  "select assigned_to from businesses where assigned_to is not null group by 1 order by count(*) desc, 1 limit 1";
const someBusiness = "select id from businesses where status = 'active' and trade_name is not null order by id limit 1";

/** Requirement of the platform: "All database operations complete within 500ms", at a million businesses. */
const withinMs = 500;

/** The most frequent queries of the KYB platform. */
export const queries: DatabaseQueries = {
  "user lookup": {
    withinMs,
    queries: [
      {
        name: "login by email",
        sql: "select * from users where email = $1 and deleted_at is null",
        parameters: `select email from users where id = (${busiestCustomer})`,
        uses: ["users_email_key"],
        // Twenty users fit on one page.
        fromRows: 200_000,
      },
      {
        name: "what a user may do",
        sql: "select user_may($1, 'business:read_own')",
        parameters: busiestCustomer,
        uses: [],
      },
      {
        name: "API key with its permissions",
        sql: `select api_keys.id, user_id, array(
            select name from api_key_permissions join permissions on permissions.id = permission_id where api_key_id = api_keys.id)
          from api_keys where key_hash = $1 and revoked_at is null and (expires_at is null or expires_at > timestamptz '2025-12-31Z')`,
        parameters: `select key_hash from api_keys
          where revoked_at is null and (expires_at is null or expires_at > timestamptz '2025-12-31Z') order by 1 limit 1`,
        uses: ["api_keys_key_hash_key", "api_key_permissions_pkey"],
        fromRows: 200_000,
      },
    ],
  },
  "asset search": {
    withinMs,
    queries: [
      {
        name: "business by its registration",
        sql: "select * from businesses where registration_country = $1 and registration_number = $2 and deleted_at is null",
        parameters: `select registration_country, registration_number from businesses where id = (${someBusiness})`,
        uses: ["businesses_registration_key"],
      },
      {
        name: "business by tax number",
        sql: "select id from businesses where tax_id = $1",
        parameters: "select tax_id from businesses where tax_id is not null order by 1 limit 1",
        uses: ["businesses_tax_id_idx"],
      },
      {
        name: "business by part of a name",
        sql: `select id, legal_name, status, risk_level from businesses
          where (legal_name ilike $1 or trade_name ilike $1) and deleted_at is null order by legal_name, id limit 20`,
        parameters: `select '%' || lower(split_part(legal_name, ' ', 1)) || '%' from businesses where id = (${someBusiness})`,
        uses: ["businesses_name_search_idx"],
      },
      {
        name: "business by a similar name",
        sql: `select id, legal_name, similarity(legal_name, $1) as likeness from businesses
          where legal_name % $1 and deleted_at is null order by likeness desc limit 20`,
        parameters: `select replace(legal_name, 'r', 'rr') from businesses where id = (${someBusiness})`,
        settings: { "pg_trgm.similarity_threshold": "0.5" },
        uses: ["businesses_name_search_idx"],
      },
      {
        name: "businesses of an industry, latest first",
        sql: `select business_id from business_classifications
          where code_system = $1 and industry_code = $2 and is_primary and superseded_at is null order by classified_at desc limit 50`,
        parameters:
          "select code_system, industry_code from business_classifications group by 1, 2 order by count(*) desc, 1, 2 limit 1",
        uses: ["business_classifications_industry_idx"],
      },
    ],
  },
  "admin dashboard": {
    withinMs,
    queries: [
      {
        name: "newest businesses",
        sql: "select id, legal_name, status, created_at from businesses where deleted_at is null order by created_at desc, id limit 50",
        uses: ["businesses_newest_idx"],
      },
      {
        name: "a page far down",
        sql: `select id, legal_name, created_at from businesses
          where deleted_at is null and created_at <= timestamptz '2024-03-01Z' order by created_at desc, id limit 50`,
        uses: ["businesses_newest_idx"],
      },
      {
        name: "active with the highest risk",
        sql: `select id, legal_name, risk_score from businesses
          where status = 'active' and risk_level = 'high' and deleted_at is null order by risk_score desc, id limit 50`,
        uses: ["businesses_risk_idx"],
      },
      {
        name: "not compliant, latest first",
        sql: `select id, legal_name, updated_at from businesses
          where compliance_status = 'non_compliant' and deleted_at is null order by updated_at desc limit 50`,
        uses: ["businesses_compliance_idx"],
      },
      {
        name: "counts of all businesses, live",
        sql: "select status, risk_level, compliance_status, count(*) from businesses where deleted_at is null group by 1, 2, 3",
        uses: ["businesses_portfolio_idx"],
        indexOnly: ["businesses_portfolio_idx"],
      },
    ],
  },
  "transaction history": {
    withinMs,
    queries: [
      {
        name: "risk assessments of a business",
        sql: "select * from risk_assessments where business_id = $1 order by assessed_at desc",
        parameters: "select business_id from risk_assessments group by 1 order by count(*) desc, 1 limit 1",
        uses: ["risk_assessments_history_idx"],
      },
      {
        name: "audit of a business",
        sql: "select * from audit_logs where resource_type = 'businesses' and resource_id = $1 order by occurred_at desc limit 50",
        parameters:
          "select resource_id from audit_logs where resource_type = 'businesses' group by 1 order by count(*) desc, 1 limit 1",
        uses: ["audit_logs_resource_idx"],
      },
      {
        name: "audit of a user",
        sql: "select * from audit_logs where user_id = $1 order by occurred_at desc limit 50",
        parameters: busiestAnalyst,
        uses: ["audit_logs_user_idx"],
      },
    ],
  },
  analytics: {
    withinMs,
    queries: [
      {
        name: "industries by risk",
        sql: `select industry, sum(businesses), round(sum(average_risk_score * businesses) / sum(businesses), 2)
          from portfolio_statistics where status = 'active' group by 1 order by 2 desc`,
        uses: [],
      },
      {
        name: "new businesses by day, a month",
        sql: `select created_at::date, count(*) from businesses
          where deleted_at is null and created_at >= timestamptz '2025-11-27Z' group by 1 order by 1`,
        uses: ["businesses_newest_idx"],
        indexOnly: ["businesses_newest_idx"],
      },
      {
        name: "one day of other services",
        sql: `select service, count(*), count(*) filter (where outcome <> 'succeeded') as failed,
            percentile_cont(0.95) within group (order by duration_ms)
          from external_service_calls where called_at >= timestamptz '2025-12-20Z' and called_at < timestamptz '2025-12-21Z' group by service`,
        uses: ["external_service_calls_called_brin"],
        fromRows: 200_000,
      },
      {
        name: "businesses with a risk factor",
        sql: `select business_id, risk_score from risk_assessments
          where risk_factors @> '[{"factor": "sanctions_match"}]' and superseded_at is null order by risk_score desc limit 50`,
        uses: ["risk_assessments_factors_idx"],
      },
    ],
  },
  "all operations": {
    withinMs,
    queries: [
      {
        name: "business with everything current",
        sql: `select businesses.*, industry_code, risk_factors, (
            select jsonb_agg(checks order by requested_at desc) from compliance_checks as checks where checks.business_id = businesses.id)
          from businesses
          left join business_classifications as classified
            on classified.business_id = businesses.id and is_primary and classified.superseded_at is null
          left join risk_assessments as assessed on assessed.business_id = businesses.id and assessed.superseded_at is null
          where businesses.id = $1`,
        parameters: someBusiness,
        uses: ["businesses_pkey", "risk_assessments_current_key", "compliance_checks_latest_idx"],
        fromRows: 200_000,
      },
      {
        name: "reviews that are due",
        sql: `select id, legal_name, next_review_at from businesses
          where status in ('active', 'suspended') and deleted_at is null and next_review_at <= timestamptz '2025-12-31Z'
          order by next_review_at limit 50`,
        uses: ["businesses_review_due_idx"],
      },
      {
        name: "businesses that wait for review",
        sql: `select id, legal_name, submitted_at from businesses
          where status = 'pending_review' and deleted_at is null order by submitted_at limit 50`,
        uses: ["businesses_waiting_idx"],
      },
      {
        name: "an analyst's work list",
        sql: "select id, legal_name, next_review_at from businesses where assigned_to = $1 and status = 'active' order by next_review_at limit 50",
        parameters: busiestAnalyst,
        uses: ["businesses_assigned_to_idx"],
      },
      {
        name: "a customer's businesses",
        sql: `select id, legal_name, status from businesses where created_by = $1 and deleted_at is null order by created_at desc limit 50`,
        // For the busiest customers, PostgreSQL finds enough rows among the newest of all businesses.
        parameters: "select created_by from businesses group by 1 order by count(*), 1 limit 1",
        uses: ["businesses_created_by_idx"],
      },
      {
        name: "checks that need a review",
        sql: `select id, business_id, check_type, requested_at from compliance_checks where status = 'needs_review' order by requested_at limit 50`,
        uses: ["compliance_checks_open_idx"],
      },
      {
        name: "failed checks of a type",
        sql: `select id, business_id, completed_at from compliance_checks
          where status = 'failed' and check_type = 'sanctions' order by completed_at desc limit 50`,
        uses: ["compliance_checks_failed_idx"],
      },
      {
        name: "checks that expire soon",
        sql: `select id, business_id, valid_until from compliance_checks
          where status = 'passed' and valid_until < timestamptz '2026-01-15Z' order by valid_until limit 100`,
        uses: ["compliance_checks_expiring_idx"],
      },
      {
        name: "classifications that are unsure",
        sql: `select business_id, industry_code, confidence_score from business_classifications
          where is_primary and superseded_at is null and method <> 'manual' and confidence_score < 0.5 order by confidence_score limit 50`,
        uses: ["business_classifications_unsure_idx"],
      },
      {
        name: "latest failures of a service",
        sql: `select called_at, outcome, error_message from external_service_calls
          where service = 'listwatch' and outcome <> 'succeeded' order by called_at desc limit 50`,
        uses: ["external_service_calls_failed_idx"],
      },
      {
        name: "webhook events to deliver",
        sql: `select id from webhook_events where next_attempt_at <= timestamptz '2026-01-01Z'
          order by next_attempt_at limit 100 for update skip locked`,
        uses: ["webhook_events_due_idx"],
      },
    ],
  },
};
