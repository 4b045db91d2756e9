--! Title: Calls to registers, deliveries and logins of the last weeks

set local app.maintenance = 'on';

insert into external_service_calls (id, called_at, service, operation, method, url, business_id, user_id, compliance_check_id, request_id, attempt,
  outcome, status_code, duration_ms, request_bytes, response_bytes, error_message, cost)
select md5('demo:call:' || checked.id || ':' || attempt)::uuid, started_at + make_interval(secs => attempt), lower(provider), check_type || '.search',
  'POST', 'https://api.' || lower(provider) || '.example/v1/' || check_type, business_id, requested_by, checked.id,
  'demo-' || left(checked.id::text, 13), attempt, outcome, case outcome when 'succeeded' then 200 when 'rate_limited' then 429 when 'failed' then 502 end,
  case outcome when 'timed_out' then 10000 else round((60 + 900 * power(chance, 3))::numeric, 3) end, 400 + chance * 300,
  case outcome when 'succeeded' then 2000 + chance * 9000 end,
  case outcome when 'rate_limited' then 'too many requests' when 'failed' then 'bad gateway' when 'timed_out' then 'no answer within 10 s' end,
  case outcome when 'succeeded' then 0.15 else 0 end
from (
  select compliance_checks.*, ('x' || left(md5(compliance_checks.id::text), 8))::bit(32)::bigint::double precision / 4294967296 as chance
  from compliance_checks join businesses on businesses.id = business_id
  where businesses.metadata ->> 'source' = 'demo' and started_at is not null
) as checked
cross join generate_series(1, 2) as attempt
cross join lateral (
  select case when attempt = 2 then 'succeeded' when chance < 0.03 then 'timed_out' when chance < 0.06 then 'failed'
    when chance < 0.09 then 'rate_limited' else 'succeeded' end as outcome
) as ended
where attempt = 1 or chance < 0.09
on conflict (id) do nothing;

insert into webhook_events (id, webhook_id, event_id, event_type, business_id, payload, status, attempts, next_attempt_at, last_attempt_at,
  last_status_code, last_error, delivered_at, created_at, updated_at)
select md5('demo:webhook_event:' || businesses.id)::uuid, webhooks.id, md5('demo:event:' || businesses.id)::uuid, event_type, businesses.id,
  jsonb_build_object('type', event_type, 'business', legal_name, 'risk', risk_level), case when is_lost then 'dead' else 'delivered' end,
  case when is_lost then 8 else 1 end, null, decided_at, case when is_lost then 500 else 200 end, case when is_lost then 'the receiver failed' end,
  case when not is_lost then decided_at end, decided_at, decided_at
from businesses
join webhooks on webhooks.user_id = created_by
cross join lateral (
  select case businesses.status when 'rejected' then 'business.rejected' else 'business.activated' end as event_type,
    risk_assessed_at + interval '1 day' as decided_at, left(businesses.id::text, 1) = '0' as is_lost
) as told
where metadata ->> 'source' = 'demo' and businesses.status in ('active', 'rejected')
on conflict (id) do nothing;

insert into audit_logs (id, occurred_at, user_id, action, resource_type, resource_id, details, ip, user_agent)
select md5(format('demo:audit:%s:%s', users.id, day))::uuid,
  today - make_interval(days => day) - interval '30 minutes' * ('x' || left(md5(users.id::text || day), 2))::bit(8)::integer / 32, users.id,
  case when day % 7 = 3 then 'report.export' else 'session.login' end, case when day % 7 = 3 then 'report' else 'session' end, day::text, '{}',
  ('198.51.100.' || 1 + day)::inet, 'Mozilla/5.0 (demo)'
from users
cross join generate_series(1, 60) as day
cross join (select created_at as today from users where id = '20000000-0000-4000-8000-000000000001') as calendar
where users.id::text like '22000000-0000-4000-8000-%' and ('x' || substr(md5(users.id::text || day), 3, 2))::bit(8)::integer < 160
on conflict (id) do nothing;
