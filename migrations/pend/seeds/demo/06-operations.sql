--! Title: A week of administration, logs, metrics and API traffic

create or replace function pg_temp.draw(seed text) returns numeric
  language sql immutable return ('x' || left(md5(seed), 8))::bit(32)::bigint / 4294967296.0;

insert into admin_logs (id, timestamp, admin_user_id, action, outcome, target_type, target_id, ip, user_agent)
select md5('demo:admin-log:' || n)::uuid, director.created_at - make_interval(mins => 58 * n),
  ('30000000-0000-4000-8000-' || lpad((1 + n % 3)::text, 12, '0'))::uuid,
  (array['session.login', 'users.view', 'kyc_applications.view', 'transactions.view', 'report.export'])[1 + floor(5 * power(pg_temp.draw('demo:did:' || n), 1.5))::integer],
  case when n % 23 = 0 then 'denied' else 'succeeded' end, 'users', '31000000-0000-4000-8000-' || lpad((1 + n % 240)::text, 12, '0'), '198.51.100.77', 'Mozilla/5.0'
from generate_series(1, 170) as n
cross join (select created_at from admin_users where id = '30000000-0000-4000-8000-000000000001') as director
on conflict (id) do nothing;

insert into system_logs (id, timestamp, level, component, message, error_code, host, context)
select md5('demo:system-log:' || n)::uuid, director.created_at - make_interval(mins => 13 * n),
  case when n % 97 = 0 then 'critical' when n % 29 = 0 then 'error' when n % 11 = 0 then 'warning' else 'info' end,
  (array['api', 'chain.listener', 'jobs.payout', 'jobs.kyc'])[1 + n % 4],
  case when n % 97 = 0 then 'No connection left in the pool' when n % 29 = 0 then 'Node did not answer' when n % 11 = 0 then 'Query took longer than a second'
    else 'Round finished' end,
  case when n % 97 = 0 then 'pool_exhausted' when n % 29 = 0 then 'node_timeout' when n % 11 = 0 then 'slow_query' end, 'demo-' || (1 + n % 2), '{"seed": "demo"}'
from generate_series(1, 780) as n
cross join (select created_at from admin_users where id = '30000000-0000-4000-8000-000000000001') as director
on conflict (id) do nothing;

-- Busy by day, quiet by night.
insert into system_metrics (name, source, recorded_at, value, unit)
select name, 'demo-' || host, recorded_at, round(least + span * (0.25 + 0.5 * sin(extract(hour from recorded_at at time zone 'UTC') * pi() / 24)::numeric
  + 0.25 * pg_temp.draw(concat(name, host, hour))), 3), unit
from (values
  ('db.connections_active', 'count', 2, 18), ('db.query_time_average', 'ms', 15, 30), ('db.cache_hit', 'ratio', 0.95, 0.05), ('api.requests', 'per_second', 4, 60),
  ('host.memory_used', 'ratio', 0.4, 0.3), ('host.disk_free', 'bytes', 40000000000, 1000000000)
) as measured (name, unit, least, span)
cross join generate_series(1, 2) as host
cross join generate_series(0, 167) as hour
cross join (select created_at from admin_users where id = '30000000-0000-4000-8000-000000000001') as director
cross join lateral (select date_trunc('hour', director.created_at) - make_interval(hours => hour) as recorded_at) as time
on conflict (name, source, recorded_at) do nothing;

insert into api_usage_logs (id, timestamp, request_id, user_id, method, endpoint, status_code, duration_ms, request_bytes, response_bytes, ip, error_code)
select md5('demo:api:' || n)::uuid, director.created_at - make_interval(secs => 151 * n), 'demo-request-' || n,
  ('31000000-0000-4000-8000-' || lpad((1 + floor(240 * power(pg_temp.draw('demo:caller:' || n), 2)))::text, 12, '0'))::uuid, method, endpoint, status_code,
  round((least + 60 * power(pg_temp.draw('demo:time:' || n), 4) * least / 10)::numeric, 3), 210, 300 + floor(9000 * pg_temp.draw('demo:bytes:' || n))::integer,
  inet '198.51.100.0' + (n % 256), case status_code when 500 then 'internal' when 404 then 'not_found' when 422 then 'not_allowed' end
from generate_series(1, 4000) as n
cross join (select created_at from admin_users where id = '30000000-0000-4000-8000-000000000001') as director
cross join lateral (select 1 + floor(6 * power(pg_temp.draw('demo:endpoint:' || n), 1.6))::integer as place) as chance
join (values
  (1, 'GET', '/api/assets', 18), (2, 'GET', '/api/users/:id', 9), (3, 'GET', '/api/transactions', 22), (4, 'GET', '/api/assets/:id', 7), (5, 'POST', '/api/investments', 41),
  (6, 'GET', '/api/assets/analytics', 95)
) as route (place, method, endpoint, least) using (place)
cross join lateral (
  select case when n % 211 = 0 then 500 when n % 67 = 0 then 404 when method = 'POST' and n % 5 = 0 then 422 when method = 'POST' then 201 else 200 end as status_code
) as answered
on conflict (id) do nothing;

-- The analytics are there from the first look.
select refresh_analytics();
