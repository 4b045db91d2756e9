--! Title: Administration, server logs, metrics and API traffic

insert into admin_logs (id, timestamp, admin_user_id, action, outcome, target_type, target_id, reason, ip, user_agent)
select md5('dev:admin-log:' || n)::uuid, admin.created_at - make_interval(mins => 37 * n), actor.id, action, outcome, target_type, target_id, reason, '203.0.113.5', 'Mozilla/5.0'
from (values
  (1, 1, 'session.login', 'succeeded', null, null, null), (2, 2, 'session.login', 'succeeded', null, null, null),
  (3, 4, 'session.login', 'failed', null, null, 'Wrong password'), (4, 4, 'session.login', 'succeeded', null, null, null),
  (5, 4, 'transactions.approve', 'denied', 'transactions', md5('dev:transaction:deposit:7')::uuid::text, 'Not a permission of support'),
  (6, 2, 'users.suspend', 'succeeded', 'users', '21000000-0000-4000-8000-000000000005', 'Papers of somebody else'),
  (7, 3, 'report.export', 'succeeded', null, null, null), (8, 2, 'kyc_applications.view', 'succeeded', 'kyc_applications', '22000000-0000-4000-8000-000000000007', null)
) as done (n, actor, action, outcome, target_type, target_id, reason)
join admin_users as actor on actor.id = ('20000000-0000-4000-8000-' || lpad(done.actor::text, 12, '0'))::uuid
cross join (select id, created_at from admin_users where id = '20000000-0000-4000-8000-000000000001') as admin
on conflict (id) do nothing;

insert into system_logs (id, timestamp, level, component, message, error_code, host, request_id, context)
select md5('dev:system-log:' || n)::uuid, admin.created_at - make_interval(mins => 11 * n), level, component, message, error_code, 'api-1',
  case when component = 'api' then 'dev-request-' || n end, '{"seed": "dev"}'
from (values
  (1, 'info', 'api', 'Listening on port 3000', null), (2, 'info', 'chain.listener', 'Caught up with the chain', null),
  (3, 'warning', 'api', 'Query took 1204 ms', 'slow_query'), (4, 'error', 'chain.listener', 'No answer from the node within 10 s', 'node_timeout'),
  (5, 'critical', 'jobs.payout', 'Hot wallet has less than the least it should have', 'low_balance'), (6, 'debug', 'jobs.payout', 'Nothing to pay out', null)
) as said (n, level, component, message, error_code)
cross join (select id, created_at from admin_users where id = '20000000-0000-4000-8000-000000000001') as admin
on conflict (id) do nothing;

insert into system_metrics (name, source, recorded_at, value, unit)
select name, 'api-1', date_trunc('hour', admin.created_at) - make_interval(hours => hour), round(least + span * noise, 3), unit
from (values
  ('db.connections_active', 'count', 2, 10), ('db.query_time_average', 'ms', 15, 40), ('api.requests', 'per_second', 4, 30), ('host.memory_used', 'ratio', 0.4, 0.3)
) as measured (name, unit, least, span)
cross join generate_series(0, 47) as hour
cross join lateral (select ('x' || left(md5(name || hour), 8))::bit(32)::bigint / 4294967296.0 as noise) as dice
cross join (select id, created_at from admin_users where id = '20000000-0000-4000-8000-000000000001') as admin
on conflict (name, source, recorded_at) do nothing;

insert into api_usage_logs (id, timestamp, request_id, user_id, admin_user_id, method, endpoint, status_code, duration_ms, request_bytes, response_bytes, ip, error_code)
select md5('dev:api:' || n)::uuid, admin.created_at - make_interval(secs => 47 * n), 'dev-request-' || n,
  case when n % 4 > 0 then ('21000000-0000-4000-8000-' || lpad((1 + n % 6)::text, 12, '0'))::uuid end, case when n % 4 = 0 then admin.id end,
  case when n % 10 = 7 then 'POST' else 'GET' end,
  case when n % 4 = 0 then '/api/admin/dashboard-stats' when n % 10 = 7 then '/api/investments' else (array['/api/users/:id', '/api/assets', '/api/transactions'])[1 + n % 3] end,
  case when n % 50 = 0 then 500 when n % 33 = 0 then 404 else 200 end, round((5 + 80 * noise)::numeric, 3), 220, 300 + (9000 * noise)::integer, '198.51.100.7',
  case when n % 50 = 0 then 'internal' when n % 33 = 0 then 'not_found' end
from generate_series(1, 200) as n
cross join lateral (select ('x' || left(md5('dev:api:' || n), 8))::bit(32)::bigint / 4294967296.0 as noise) as dice
cross join (select id, created_at from admin_users where id = '20000000-0000-4000-8000-000000000001') as admin
on conflict (id) do nothing;
