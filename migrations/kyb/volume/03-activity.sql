-- Calls, deliveries and audit of three years, in the order of their time. See the first file.

create or replace function pg_temp.draw(digest text, nth integer) returns double precision
  language sql immutable
  return ('x' || substr(digest, nth * 8 - 7, 8))::bit(32)::bigint::double precision / 4294967296;

alter table external_service_calls disable trigger user;
alter table webhooks disable trigger user;
alter table webhook_events disable trigger user;
alter table audit_logs disable trigger user;

insert into external_service_calls (id, called_at, service, operation, method, url, business_id, user_id, compliance_check_id, outcome, status_code,
  duration_ms, request_bytes, response_bytes, error_message, cost)
select md5('volume:call:' || checked.id)::uuid, started_at, case check_type when 'registry' then 'openregisters' else 'listwatch' end,
  check_type || '.search', 'POST', 'https://api.' || lower(provider) || '.example/v1/' || check_type, business_id, requested_by, checked.id, outcome,
  case outcome when 'succeeded' then 200 when 'rate_limited' then 429 when 'failed' then 502 end,
  case outcome when 'timed_out' then 10000 else round((40 + 20 / (0.01 + pg_temp.draw(digest, 2)))::numeric, 3) end,
  300 + floor(400 * pg_temp.draw(digest, 3)),
  case outcome when 'succeeded' then 1500 + floor(9000 * pg_temp.draw(digest, 4)) end,
  case outcome when 'rate_limited' then 'too many requests' when 'failed' then 'bad gateway' when 'timed_out' then 'no answer within 10 s' end,
  case outcome when 'succeeded' then 0.15 else 0 end
from (
  select compliance_checks.* from compliance_checks join businesses on businesses.id = business_id
  where started_at is not null and businesses.metadata @> '{"source": "volume"}'
) as checked
cross join lateral (select md5('volume:call:draw:' || checked.id) as digest offset 0) as chance
cross join lateral (
  select case when pg_temp.draw(digest, 1) < 0.005 then 'timed_out' when pg_temp.draw(digest, 1) < 0.012 then 'failed'
    when pg_temp.draw(digest, 1) < 0.015 then 'rate_limited' else 'succeeded' end as outcome
  offset 0
) as ended
where check_type <> 'registry' or pg_temp.draw(md5(checked.id::text), 1) < 0.02
order by started_at;

insert into webhooks (id, user_id, name, url, event_types, secret_ciphertext, last_success_at, created_at, updated_at)
select md5('volume:webhook:' || n)::uuid, users.id, 'Volume', 'https://hooks.example/volume/' || n, '{business.activated,risk.*}',
  sha256(convert_to('volume' || n, 'UTF8')), timestamptz '2025-12-31 00:00:00+00', users.created_at, users.created_at
from generate_series(1, greatest(20, current_setting('pgroundwork.volume_rows')::bigint / 1000) / 5) as n
join users on users.id = md5('volume:user:' || n * 5)::uuid;

-- One business in five has its event; of the newest fiftieth most are on their way yet.
insert into webhook_events (id, webhook_id, event_id, event_type, business_id, payload, status, attempts, next_attempt_at, last_attempt_at,
  last_status_code, last_error, delivered_at, created_at, updated_at)
select md5('volume:webhook_event:' || n)::uuid, webhook_id, md5('volume:event:' || n)::uuid, 'business.' || businesses.status, businesses.id,
  jsonb_build_object('business', legal_name), state,
  case state when 'pending' then 0 when 'retrying' then 2 when 'dead' then 8 else 1 end,
  case when state in ('pending', 'retrying') then told_at + interval '5 minutes' end,
  case when state <> 'pending' then told_at + interval '1 second' end,
  case state when 'delivered' then 200 when 'retrying' then 503 when 'dead' then 500 end,
  case when state in ('retrying', 'dead') then 'the receiver failed' end, case when state = 'delivered' then told_at + interval '1 second' end,
  told_at, told_at + interval '1 second'
from (
  select current_setting('pgroundwork.volume_rows')::bigint as count,
    greatest(20, current_setting('pgroundwork.volume_rows')::bigint / 1000) / 5 as webhooks_count
) as scale
cross join generate_series(1, count / 5) as n
join businesses on businesses.id = md5('volume:business:' || n * 5)::uuid
cross join lateral (select md5('volume:event:draw:' || n) as digest offset 0) as chance
cross join lateral (
  select md5('volume:webhook:' || 1 + floor(webhooks_count * power(pg_temp.draw(digest, 1), 3))::bigint)::uuid as webhook_id,
    businesses.created_at + interval '2 days' as told_at,
    case
      when n > count / 5 * 49 / 50 and pg_temp.draw(digest, 2) < 0.6 then case when pg_temp.draw(digest, 3) < 0.7 then 'pending' else 'retrying' end
      when pg_temp.draw(digest, 2) < 0.99 then 'delivered' else 'dead' end as state
  offset 0
) as told
order by told_at;

-- A decision about every second business, and a login for every fifth.
insert into audit_logs (id, occurred_at, user_id, action, resource_type, resource_id, old_data, new_data, changed_columns, ip, user_agent, request_id,
  database_user, transaction_id)
select md5(format('volume:audit:%s:%s', kind, n))::uuid, done_at, user_id, action, resource_type, resource_id, old_data, new_data, changed,
  ('198.51.100.' || n % 250)::inet, 'Mozilla/5.0 (volume)', format('volume-%s-%s', kind, n), 'kyb_app', (n + 1000)::text::xid8
from (
  select 'decision' as kind, n, businesses.created_at + interval '2 days' as done_at, assigned_to as user_id, 'update' as action,
    'businesses' as resource_type, businesses.id::text as resource_id,
    '{"status": "pending_review"}'::jsonb as old_data, jsonb_build_object('status', status) as new_data, array['status'] as changed
  from generate_series(1, current_setting('pgroundwork.volume_rows')::bigint / 2) as n
  join businesses on businesses.id = md5('volume:business:' || n * 2)::uuid
  union all
  select 'login', n, timestamptz '2023-01-02 00:00:00+00' + interval '1090 days' * n / logins,
    md5('volume:user:' || 1 + floor(users_count * power(pg_temp.draw(md5('volume:login:' || n), 1), 2))::bigint)::uuid,
    'session.login', 'session', n::text, null, null, null
  from (select current_setting('pgroundwork.volume_rows')::bigint / 5 as logins, greatest(20,
    current_setting('pgroundwork.volume_rows')::bigint / 1000) as users_count) as scale
  cross join generate_series(1, logins) as n
) as done
order by done_at, n;

alter table external_service_calls enable trigger user;
alter table webhooks enable trigger user;
alter table webhook_events enable trigger user;
alter table audit_logs enable trigger user;

analyze external_service_calls, webhooks, webhook_events, audit_logs;
