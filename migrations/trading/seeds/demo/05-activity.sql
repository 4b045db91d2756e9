--! Title: Sessions, logins, API traffic and compliance cases

insert into sessions (id, user_id, token_hash, ip, user_agent, two_factor_passed, created_at, last_seen_at, expires_at, revoked_at, revoke_reason)
select md5('session:' || username)::uuid, id, md5('a' || username) || md5('b' || username), ('203.0.113.' || right(username, 1))::inet, 'Mozilla/5.0',
  false, created_at - interval '2 hours', created_at - interval '5 minutes', created_at + interval '10 hours',
  case when right(username, 1) in ('2', '7') then created_at - interval '1 minute' end, case when right(username, 1) in ('2', '7') then 'logout' end
from users where metadata ->> 'seed' = 'demo'
on conflict (id) do nothing;

insert into api_keys (id, user_id, name, key_prefix, key_hash, scopes, created_at)
select md5('api_key:' || username)::uuid, id, 'Trading bot', 'pgwdemo_' || right(username, 1), md5('c' || username) || md5('d' || username), '{read,trade}', created_at
from users where metadata ->> 'seed' = 'demo' and right(username, 1) in ('1', '3', '4')
on conflict (id) do nothing;

insert into login_attempts (id, user_id, email, succeeded, failure_reason, ip, attempted_at)
select md5(concat_ws(':', 'login', username, age))::uuid, id, email, age % 6 <> 0, case when age % 6 = 0 then 'wrong_password' end,
  ('203.0.113.' || right(username, 1))::inet, created_at - make_interval(hours => 7 * age)
from users cross join generate_series(1, 24) as age
where metadata ->> 'seed' = 'demo'
on conflict (id) do nothing;

insert into user_activity_log (id, occurred_at, user_id, session_id, activity, resource_type, resource_id, ip)
select md5(concat_ws(':', 'activity', username, age))::uuid, created_at - make_interval(mins => 3 * age), id, md5('session:' || username)::uuid,
  (array['session.login', 'order.place', 'order.cancel', 'position.view', 'report.export', 'settings.change'])[1 + age % 6],
  'account', md5('account:' || username)::uuid::text, ('203.0.113.' || right(username, 1))::inet
from users cross join generate_series(1, 30) as age
where metadata ->> 'seed' = 'demo'
on conflict (id, occurred_at) do nothing;

insert into api_access_log (id, occurred_at, user_id, api_key_id, request_id, method, path, status_code, duration_ms, request_bytes, response_bytes, ip, error_code)
select md5(concat_ws(':', 'access', name, users.username, n))::uuid, users.created_at - make_interval(secs => 20 * n), users.id, api_keys.id,
  md5(concat_ws(':', 'request', users.username, n)), (array['GET', 'GET', 'POST', 'GET', 'DELETE'])[1 + n % 5],
  (array['/v1/positions', '/v1/quotes', '/v1/orders', '/v1/account', '/v1/orders/open'])[1 + n % 5],
  case when n % 25 = 0 then 429 when n % 40 = 0 then 500 else 200 end, round(2 + 60 * noise, 3), 200, 400 + (5000 * noise)::integer, '198.51.100.20',
  case when n % 25 = 0 then 'rate_limited' when n % 40 = 0 then 'internal' end
from api_keys join users on users.id = user_id
cross join generate_series(1, 200) as n
cross join lateral (select ('x' || left(md5(username || n), 8))::bit(32)::bigint / 4294967296.0 as noise) as dice
where users.metadata ->> 'seed' = 'demo'
on conflict (id, occurred_at) do nothing;

insert into system_events (id, occurred_at, severity, component, event_type, message)
select md5('system:' || event_type || minutes)::uuid, created_at - make_interval(mins => minutes), severity, component, event_type, message
from users cross join (values
  (720, 'info', 'api', 'deployment.finished', 'Release 2.4.1 is live'),
  (410, 'warning', 'lp.aggregator', 'feed.slow', 'Quotes are 800 ms late'),
  (395, 'error', 'lp.aggregator', 'feed.lost', 'No heartbeat for 15 s'),
  (390, 'info', 'lp.aggregator', 'feed.restored', 'Heartbeat again'),
  (60, 'info', 'risk', 'stress_test.finished', 'Seven scenarios, eight accounts')
) as happened (minutes, severity, component, event_type, message)
where users.id = '20000000-0000-4000-8000-000000000001'
on conflict (id) do nothing;

insert into compliance_events (id, occurred_at, event_type, severity, user_id, description, status, assigned_to, due_at)
select md5('compliance:' || username)::uuid, created_at, case kyc_status when 'expired' then 'document_expired' else 'kyc_review' end,
  case kyc_status when 'expired' then 'warning' else 'info' end, id, 'Identity papers of ' || full_name, 'open',
  case kyc_status when 'pending' then '20000000-0000-4000-8000-000000000001'::uuid end, created_at + interval '7 days'
from users where metadata ->> 'seed' = 'demo' and kyc_status in ('pending', 'expired')
on conflict (id) do nothing;
