--! Previous: sha1:d1fb2bd15cfb3a29c56df37d04c8173ac94d8c64
--! Hash: sha1:a60ac42f70de768a0a02fbfd422af6775d418285
--! Message: system logs

-- How the system runs. These name people and requests without foreign keys: they outlive what they speak of, and are written often. They
-- only grow, so BRIN finds their time.

create table system_logs (
  id uuid primary key default gen_random_uuid(),
  timestamp timestamptz not null default now(),
  level text not null check (level in ('debug', 'info', 'warning', 'error', 'critical')),
  component text not null check (component ~ '^[a-z][a-z0-9_.-]{0,63}$'),
  message text not null check (message <> ''),
  error_code text,
  stack_trace text,
  host text,
  process_id integer check (process_id > 0),
  request_id text,
  user_id uuid,
  context jsonb not null default '{}' check (jsonb_typeof(context) = 'object')
);
comment on table system_logs is 'What the servers had to say. Append-only; its owner takes out what is older than it needs to be.';
comment on column system_logs.component is 'Part of the program: api, chain.listener, jobs.payout.';

create index system_logs_timestamp_brin on system_logs using brin (timestamp) with (autosummarize = on);
create index system_logs_severe_idx on system_logs (timestamp desc) where level in ('error', 'critical');
create index system_logs_component_idx on system_logs (component, timestamp desc);
create index system_logs_request_idx on system_logs (request_id) where request_id is not null;

create table system_metrics (
  name text not null check (name ~ '^[a-z][a-z0-9_.]{1,99}$'),
  source text not null check (source <> ''),
  recorded_at timestamptz not null default now(),
  value numeric(24,6) not null,
  unit text not null check (unit in ('count', 'ms', 'seconds', 'bytes', 'ratio', 'per_second', 'dollars')),
  labels jsonb not null default '{}' check (jsonb_typeof(labels) = 'object'),
  primary key (name, source, recorded_at)
);
comment on table system_metrics is 'Measurements of performance and health, one series a name and source. Append-only.';
comment on column system_metrics.source is 'Host or instance that was measured.';

create index system_metrics_recorded_brin on system_metrics using brin (recorded_at) with (autosummarize = on);

create table api_usage_logs (
  id uuid primary key default gen_random_uuid(),
  timestamp timestamptz not null default now(),
  request_id text,
  user_id uuid,
  admin_user_id uuid,
  method text not null check (method in ('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS')),
  endpoint text not null check (endpoint ~ '^/'),
  status_code smallint not null check (status_code between 100 and 599),
  duration_ms numeric(12,3) not null check (duration_ms >= 0),
  request_bytes integer check (request_bytes >= 0),
  response_bytes integer check (response_bytes >= 0),
  ip inet,
  user_agent text,
  error_code text,
  constraint api_usage_logs_at_most_one_caller check (num_nonnulls(user_id, admin_user_id) <= 1)
);
comment on table api_usage_logs is 'Requests to the API and how they were answered. Append-only.';
comment on column api_usage_logs.endpoint is 'The route, not the address: /api/users/:id, so that requests of a kind count together.';

create index api_usage_logs_timestamp_brin on api_usage_logs using brin (timestamp) with (autosummarize = on);
create index api_usage_logs_endpoint_idx on api_usage_logs (endpoint, timestamp desc) include (status_code, duration_ms);
create index api_usage_logs_user_idx on api_usage_logs (user_id, timestamp desc) where user_id is not null;
create index api_usage_logs_failed_idx on api_usage_logs (timestamp desc) where status_code >= 500;

select make_append_only('system_logs'), make_append_only('system_metrics'), make_append_only('api_usage_logs');
