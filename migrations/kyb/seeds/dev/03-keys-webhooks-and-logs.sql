--! Title: API keys, webhooks, and what was called and done

-- The keys themselves, for calling the API of a development stack:
--   kyb_test_admin001-dev-only (admin: everything), kyb_test_analyst1-dev-only (analyst: reads, assesses), kyb_test_user0001-dev-only (test: own businesses),
--   kyb_test_expired1-dev-only (expired), kyb_test_revoked1-dev-only (revoked).
set local app.maintenance = 'on';

insert into api_keys (id, user_id, name, key_prefix, key_hash, environment, allowed_networks, rate_limit_per_minute, request_count, last_used_at,
  last_used_ip, expires_at, revoked_at, revoked_by, revoke_reason, created_at, updated_at)
select ('23000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, users.id, name, prefix,
  encode(sha256(convert_to('kyb_test_' || prefix || '-dev-only', 'UTF8')), 'hex'),
  'test', networks::cidr[], rate_limit, requests, case when requests > 0 then today - interval '1 hour' end,
  case when requests > 0 then inet '192.0.2.10' end,
  today + expires_in, case when n = 5 then today - interval '3 days' end, case when n = 5 then '20000000-0000-4000-8000-000000000001'::uuid end,
  case when n = 5 then 'Was posted in a chat' end, today - interval '60 days', today
from (values
  (1, 'admin', 'Operations', 'admin001', '{}', 600, 1840, null::interval),
  (2, 'analyst', 'Research notebook', 'analyst1', '{192.0.2.0/24}', 120, 412, interval '180 days'),
  (3, 'test', 'Test integration', 'user0001', '{}', 60, 37, interval '90 days'),
  (4, 'test', 'Last year''s integration', 'expired1', '{}', 60, 5210, interval '-7 days'),
  (5, 'analyst', 'Lost key', 'revoked1', '{}', 60, 9, interval '180 days')
) as issued (n, username, name, prefix, networks, rate_limit, requests, expires_in)
join users using (username)
cross join (select created_at as today from users where id = '20000000-0000-4000-8000-000000000001') as calendar
where users.deleted_at is null
on conflict (id) do nothing;

insert into api_key_permissions (api_key_id, permission_id)
select api_keys.id, permissions.id
from api_keys
join permissions on case key_prefix
  when 'admin001' then true
  when 'analyst1' then permissions.name in ('business:read', 'classification:read', 'risk:read', 'compliance:read', 'risk:assess')
  else permissions.name in ('business:read_own', 'business:create') end
where api_keys.id::text like '23000000-0000-4000-8000-%'
on conflict do nothing;

insert into webhooks (id, user_id, name, url, event_types, secret_ciphertext, status, consecutive_failures, last_success_at, last_failure_at,
  disabled_reason, created_at, updated_at)
select ('24000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, users.id, name, url, event_types::text[],
  sha256(convert_to('dev ciphertext ' || n, 'UTF8')), state, failures,
  case when failures = 0 then today - interval '2 hours' end, case when failures > 0 then today - interval '1 day' end,
  case when state = 'disabled' then 'Answered 410 for a week' end, today - interval '50 days', today
from (values
  (1, 'test', 'Shop', 'https://shop.example/hooks/kyb', '{business.activated,business.rejected}', 'active', 0),
  (2, 'analyst', 'Risk feed', 'https://feed.example/risk', '{risk.*,compliance.*}', 'active', 3),
  (3, 'test', 'Old shop', 'https://old-shop.example/kyb', '{business.activated}', 'disabled', 40)
) as kept (n, username, name, url, event_types, state, failures)
join users using (username)
cross join (select created_at as today from users where id = '20000000-0000-4000-8000-000000000001') as calendar
where users.deleted_at is null
on conflict (id) do nothing;

insert into webhook_events (id, webhook_id, event_id, event_type, business_id, payload, status, attempts, next_attempt_at, last_attempt_at,
  last_status_code, last_error, delivered_at, created_at, updated_at)
select md5('webhook_event:' || n)::uuid, ('24000000-0000-4000-8000-' || lpad(webhook::text, 12, '0'))::uuid, md5('event:' || n)::uuid, event_type,
  md5('business:' || slug)::uuid, jsonb_build_object('type', event_type, 'business', slug), state, attempts,
  case when state in ('pending', 'retrying') then today + interval '5 minutes' end, case when attempts > 0 then today - ago + interval '1 minute' end,
  case state when 'delivered' then 200 when 'retrying' then 503 when 'dead' then 410 end,
  case when state in ('retrying', 'dead') then 'the receiver refused it' end,
  case when state = 'delivered' then today - ago + interval '1 minute' end, today - ago, today - ago
from (values
  (1, 1, 'business.activated', 'northwind-coffee', 'delivered', 1, interval '20 days'),
  (2, 1, 'business.rejected', 'lucky-star', 'delivered', 2, interval '18 days'),
  (3, 2, 'risk.assessed', 'meridian-pharma', 'retrying', 3, interval '1 day'),
  (4, 2, 'compliance.failed', 'meridian-pharma', 'pending', 0, interval '1 hour'),
  (5, 3, 'business.activated', 'solaris-energy', 'dead', 8, interval '40 days')
) as told (n, webhook, event_type, slug, state, attempts, ago)
cross join (select created_at as today from users where id = '20000000-0000-4000-8000-000000000001') as calendar
on conflict (id) do nothing;

insert into external_service_calls (id, called_at, service, operation, method, url, business_id, user_id, compliance_check_id, request_id, outcome,
  status_code, duration_ms, request_bytes, response_bytes, error_message, cost)
select md5('call:' || compliance_checks.id)::uuid, started_at, lower(provider), check_type || '.search', 'POST',
  'https://api.' || lower(provider) || '.example/v1/' || check_type, business_id, requested_by, compliance_checks.id,
  'seed-' || left(compliance_checks.id::text, 8), outcome, case outcome when 'succeeded' then 200 when 'failed' then 502 end,
  round(120 + ('x' || substr(md5(compliance_checks.id::text), 1, 4))::bit(16)::integer / 40.0, 3), 512, case outcome when 'succeeded' then 4096 end,
  case outcome when 'failed' then 'bad gateway' when 'timed_out' then 'no answer within 10 s' end, 0.15
from compliance_checks
join (values ('northwind-coffee'), ('golden-gate-jewelers'), ('lucky-star'), ('meridian-pharma'), ('bright-pixel')) as seeded (slug)
  on business_id = md5('business:' || slug)::uuid
cross join lateral (
  select case when status = 'in_progress' then 'timed_out' when check_type = 'address' then 'failed' else 'succeeded' end as outcome
) as ended
where started_at is not null
on conflict (id) do nothing;

insert into audit_logs (id, occurred_at, user_id, action, resource_type, resource_id, details, ip, user_agent, request_id)
select md5('audit:' || username || ':' || action || ':' || resource_id)::uuid, today - ago, users.id, action, resource_type, resource_id,
  details::jsonb, '192.0.2.10', 'Mozilla/5.0 (seed)', 'seed-' || username || '-' || row_number() over (order by ago)
from (values
  ('admin', 'session.login', 'session', '1', '{}', interval '2 hours'),
  ('analyst', 'session.login', 'session', '2', '{}', interval '3 hours'),
  ('analyst', 'report.export', 'report', 'portfolio', '{"format": "csv", "rows": 12}', interval '150 minutes'),
  ('officer', 'business.reject', 'businesses', md5('business:lucky-star')::uuid::text, '{"reason": "sanctions"}', interval '40 days'),
  ('test', 'session.login_failed', 'session', '3', '{"attempts": 1}', interval '26 hours')
) as done (username, action, resource_type, resource_id, details, ago)
join users using (username)
cross join (select created_at as today from users where id = '20000000-0000-4000-8000-000000000001') as calendar
where users.deleted_at is null
on conflict (id) do nothing;

insert into token_blacklist (token_id, user_id, token_type, reason, blacklisted_at, expires_at)
select md5('token:' || username)::uuid, users.id, 'refresh', reason, created_at, created_at + interval '30 days'
from users join (values ('admin', 'logout'), ('test', 'password_change')) as refused (username, reason) using (username)
where users.deleted_at is null
on conflict (token_id) do nothing;
