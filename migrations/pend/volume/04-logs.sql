-- What administrators did, and how the system ran. See the first file.

create or replace function pg_temp.draw(digest text, nth integer) returns double precision
  language sql immutable
  return ('x' || substr(digest, nth * 8 - 7, 8))::bit(32)::bigint::double precision / 4294967296;

create temporary view volume_scale as
select rows_count, greatest(20, rows_count / 20) as users_count from (select current_setting('pgroundwork.volume_rows')::bigint as rows_count) as asked;

insert into admin_logs (id, timestamp, admin_user_id, action, outcome, target_type, target_id, ip, database_user)
select md5('volume:admin-log:' || n)::uuid, timestamptz '2024-01-01 00:00:00+00' + interval '731 days' * n / (rows_count / 20),
  md5('volume:admin:' || 1 + floor(10 * power(pg_temp.draw(digest, 1), 2))::integer)::uuid,
  (array['users.view', 'transactions.view', 'kyc_applications.view', 'session.login', 'transactions.approve', 'report.export', 'users.suspend'])
    [1 + floor(7 * power(pg_temp.draw(digest, 2), 2))::integer], case when n % 40 = 0 then 'denied' else 'succeeded' end, 'users',
  md5('volume:user:' || 1 + floor(users_count * power(pg_temp.draw(digest, 3), 2))::bigint)::uuid, inet '10.1.0.0' + n % 256, 'volume'
from volume_scale
cross join generate_series(1, rows_count / 20) as n
cross join lateral (select md5('volume:admin-log:draw:' || n) as digest) as chance
order by n;

insert into system_logs (id, timestamp, level, component, message, error_code, host, process_id, request_id)
select md5('volume:system-log:' || n)::uuid, timestamptz '2025-01-01 00:00:00+00' + interval '365 days' * n / (rows_count / 10),
  case when n % 2003 = 0 then 'critical' when n % 211 = 0 then 'error' when n % 31 = 0 then 'warning' else 'info' end,
  (array['api', 'chain.listener', 'jobs.payout', 'jobs.kyc', 'mailer'])[1 + floor(5 * power(pg_temp.draw(digest, 1), 2))::integer],
  case when n % 2003 = 0 then 'No connection left in the pool' when n % 211 = 0 then 'Node did not answer' when n % 31 = 0 then 'Query took longer than a second'
    else 'Round finished' end, case when n % 211 = 0 then 'node_timeout' end, 'api-' || n % 4, 1000 + n % 7, md5('volume:request:' || 5 * n)
from volume_scale
cross join generate_series(1, rows_count / 10) as n
cross join lateral (select md5('volume:system-log:draw:' || n) as digest) as chance
order by n;

insert into system_metrics (name, source, recorded_at, value, unit)
select name, 'api-1', timestamptz '2025-12-31 23:59:00+00' - interval '1 minute' * minute, round((least + span * pg_temp.draw(md5(name || minute), 1))::numeric, 3), unit
from volume_scale
cross join generate_series(rows_count / 50, 1, -1) as minute
cross join (values ('db.connections_active', 'count', 2, 18), ('db.query_time_average', 'ms', 15, 40), ('db.cache_hit', 'ratio', 0.9, 0.1),
  ('api.requests', 'per_second', 4, 200), ('host.memory_used', 'ratio', 0.4, 0.3)) as measured (name, unit, least, span)
order by minute desc, name;

insert into api_usage_logs (id, timestamp, request_id, user_id, method, endpoint, status_code, duration_ms, request_bytes, response_bytes, ip, error_code)
select md5('volume:api:' || n)::uuid, timestamptz '2025-01-01 00:00:00+00' + interval '365 days' * n / (rows_count / 2), md5('volume:request:' || n),
  case when n % 6 > 0 then md5('volume:user:' || 1 + floor(users_count * power(pg_temp.draw(digest, 1), 2))::bigint)::uuid end,
  case when place = 5 then 'POST' else 'GET' end,
  (array['/api/assets', '/api/users/:id', '/api/transactions', '/api/assets/:id', '/api/investments', '/api/assets/analytics', '/api/admin/dashboard-stats', '/api/admin/logs'])[place],
  case when n % 509 = 0 then 500 when n % 71 = 0 then 404 when n % 53 = 0 then 401 else 200 end,
  round((4 + 900 * power(pg_temp.draw(digest, 3), 9))::numeric, 3), 200, 300 + floor(9000 * pg_temp.draw(digest, 4))::integer, inet '10.2.0.0' + n % 65536,
  case when n % 509 = 0 then 'internal' end
from volume_scale
cross join generate_series(1, rows_count / 2) as n
cross join lateral (select md5('volume:api:draw:' || n) as digest) as chance
cross join lateral (select 1 + floor(8 * power(pg_temp.draw(digest, 2), 1.7))::integer as place) as routed
order by n;

do $$
declare
  broken record;
begin
  for broken in select * from integrity_findings() limit 1 loop
    raise exception 'the volume breaks a rule: % (% %)', broken.finding, broken.table_name, broken.record_id;
  end loop;
end
$$;

drop view volume_scale;

refresh materialized view transaction_days;
refresh materialized view asset_statistics;

-- What autovacuum would do within a minute, and a benchmark does not wait for.
select brin_summarize_new_values(index::regclass)
from unnest(array['system_logs_timestamp_brin', 'system_metrics_recorded_brin', 'api_usage_logs_timestamp_brin']) as index;
analyze admin_logs, system_logs, system_metrics, api_usage_logs, transaction_days, asset_statistics;
