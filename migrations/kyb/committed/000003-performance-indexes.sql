--! Previous: sha1:c77da80a9ac9a97d9fd37ffe34b466f7257015a1
--! Hash: sha1:9274ffb1028e330baaf6ae041bda125657223a12
--! Message: performance indexes

-- For 1M businesses. Unique keys and the two indexes that triggers need stand with their tables. Indexes end with _idx, BRIN ones
-- with _brin. Plain rather than concurrent: the tables are as new as the database.

-- Words and numbers that people look for

create index businesses_name_search_idx on businesses using gin (legal_name gin_trgm_ops, trade_name gin_trgm_ops) where deleted_at is null;
comment on index businesses_name_search_idx is
  'For ILIKE ''%…%'' and for similar names (%): those with pg_trgm.similarity_threshold set to 0.5, since at 0.3 thousands in a million are alike.';
create index businesses_tax_id_idx on businesses (tax_id) where tax_id is not null;
create index businesses_metadata_idx on businesses using gin (metadata jsonb_path_ops) where deleted_at is null;
create index users_name_search_idx on users using gin (full_name gin_trgm_ops, company gin_trgm_ops) where deleted_at is null;

-- Lists, newest or most urgent first, page after page

create index businesses_newest_idx on businesses (created_at desc, id) where deleted_at is null;
create index businesses_risk_idx on businesses (status, risk_level, risk_score desc, id) where deleted_at is null;
create index businesses_compliance_idx on businesses (compliance_status, updated_at desc) where deleted_at is null;
create index businesses_review_due_idx on businesses (next_review_at) where status in ('active', 'suspended') and deleted_at is null;
create index businesses_waiting_idx on businesses (submitted_at) where status = 'pending_review' and deleted_at is null;
create index businesses_assigned_to_idx on businesses (assigned_to, status, next_review_at) where assigned_to is not null;
create index businesses_created_by_idx on businesses (created_by, created_at desc);

-- The dashboard counts all businesses at once: from the index alone.
create index businesses_portfolio_idx on businesses (status, risk_level, compliance_status, country_code) where deleted_at is null;

-- What was found out

create index business_classifications_industry_idx on business_classifications (code_system, industry_code, classified_at desc);
create index business_classifications_business_idx on business_classifications (business_id, classified_at desc);
create index business_classifications_classified_by_idx on business_classifications (classified_by) where classified_by is not null;
create index business_classifications_unsure_idx on business_classifications (confidence_score)
  where is_primary and superseded_at is null and method <> 'manual';
create index industry_codes_title_idx on industry_codes using gin (title gin_trgm_ops);

create index risk_assessments_factors_idx on risk_assessments using gin (risk_factors jsonb_path_ops) where superseded_at is null;
create index risk_assessments_assessed_by_idx on risk_assessments (assessed_by) where assessed_by is not null;
create index risk_assessments_assessed_brin on risk_assessments using brin (assessed_at) with (autosummarize = on);

create index compliance_checks_open_idx on compliance_checks (status, requested_at) where status in ('pending', 'in_progress', 'needs_review');
create index compliance_checks_failed_idx on compliance_checks (check_type, completed_at desc) where status = 'failed';
create index compliance_checks_expiring_idx on compliance_checks (valid_until) where status = 'passed';
create index compliance_checks_requested_by_idx on compliance_checks (requested_by) where requested_by is not null;
create index compliance_checks_reviewed_by_idx on compliance_checks (reviewed_by) where reviewed_by is not null;
create index compliance_checks_findings_idx on compliance_checks using gin (findings jsonb_path_ops) where findings <> '[]';

-- What happened to this row, what did this person do, what happened between two times

create index audit_logs_resource_idx on audit_logs (resource_type, resource_id, occurred_at desc);
create index audit_logs_user_idx on audit_logs (user_id, occurred_at desc) where user_id is not null;
create index audit_logs_api_key_idx on audit_logs (api_key_id, occurred_at desc) where api_key_id is not null;
create index audit_logs_action_idx on audit_logs (action, occurred_at desc) where action not in ('insert', 'update', 'delete');
create index audit_logs_request_idx on audit_logs (request_id) where request_id is not null;
create index audit_logs_occurred_brin on audit_logs using brin (occurred_at) with (autosummarize = on);

create index external_service_calls_service_idx on external_service_calls (service, called_at desc);
create index external_service_calls_failed_idx on external_service_calls (service, called_at desc) where outcome <> 'succeeded';
create index external_service_calls_business_idx on external_service_calls (business_id, called_at desc) where business_id is not null;
create index external_service_calls_user_idx on external_service_calls (user_id, called_at desc) where user_id is not null;
create index external_service_calls_check_idx on external_service_calls (compliance_check_id) where compliance_check_id is not null;
create index external_service_calls_request_idx on external_service_calls (request_id) where request_id is not null;
create index external_service_calls_called_brin on external_service_calls using brin (called_at) with (autosummarize = on);

-- Keys, tokens, webhooks

create index api_keys_user_idx on api_keys (user_id, created_at desc);
create index api_keys_revoked_by_idx on api_keys (revoked_by) where revoked_by is not null;
create index api_keys_expiring_idx on api_keys (expires_at) where revoked_at is null and expires_at is not null;
create index users_status_idx on users (status, created_at desc) where deleted_at is null;
create index email_verification_tokens_user_idx on email_verification_tokens (user_id);
create index email_verification_tokens_expires_idx on email_verification_tokens (expires_at);
create index password_reset_tokens_user_idx on password_reset_tokens (user_id);
create index password_reset_tokens_expires_idx on password_reset_tokens (expires_at);
create index token_blacklist_user_idx on token_blacklist (user_id);
create index token_blacklist_expires_idx on token_blacklist (expires_at);
create index webhooks_event_types_idx on webhooks using gin (event_types) where status = 'active';
create index webhook_events_due_idx on webhook_events (next_attempt_at) where next_attempt_at is not null;
create index webhook_events_webhook_idx on webhook_events (webhook_id, created_at desc);
create index webhook_events_business_idx on webhook_events (business_id, created_at desc) where business_id is not null;
create index webhook_events_dead_idx on webhook_events (webhook_id, updated_at desc) where status = 'dead';

-- Analytics that would read every business each time

create materialized view portfolio_statistics as
  select businesses.country_code, coalesce(business_classifications.code_system || ' ' || industry_code, 'unclassified') as industry,
    businesses.status,
    coalesce(risk_level, 'unknown') as risk_level, compliance_status, count(*) as businesses, round(avg(risk_score), 2) as average_risk_score,
    count(*) filter (where is_prohibited) as in_prohibited_industries, max(businesses.created_at) as newest_at
  from businesses
  left join business_classifications on business_id = businesses.id and is_primary and superseded_at is null
  left join industry_codes on industry_codes.code_system = business_classifications.code_system and industry_codes.code = industry_code
  where businesses.deleted_at is null
  group by 1, 2, 3, 4, 5;
comment on materialized view portfolio_statistics is 'Businesses by country, industry, status, risk and compliance as of the latest refresh_analytics().';
create unique index portfolio_statistics_key on portfolio_statistics (country_code, industry, status, risk_level, compliance_status);

create function refresh_analytics() returns void
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  refresh materialized view concurrently portfolio_statistics;
end
$$;
comment on function refresh_analytics() is 'Brings the materialized statistics up to date; readers go on reading meanwhile. For the owner.';
select restrict_to_owner('refresh_analytics()');

-- A few countries, industries and services make most of the rows: 1,000 most common values instead of 100 let the planner see them.
alter table business_classifications alter column industry_code set statistics 1000;
alter table businesses alter column created_by set statistics 1000;

-- A pattern's rarity is estimated from the histogram: with 100 names a rare one looks common, and a search sorts by time instead.
alter table businesses alter column legal_name set statistics 1000;
alter table businesses alter column trade_name set statistics 1000;

-- Columns that depend on each other: a status implies a risk and a compliance, a code its system, an outcome its code.
create statistics businesses_state_stats (dependencies, mcv) on status, risk_level, compliance_status from businesses;
create statistics business_classifications_industry_stats (dependencies, ndistinct) on code_system, industry_code from business_classifications;
create statistics external_service_calls_outcome_stats (dependencies, mcv) on service, outcome from external_service_calls;
