--! Previous: sha1:daac839524778228cacd3bb6fdd6509f660445bc
--! Hash: sha1:df0df88d7340c97a9f18d22a419f4d0c07bd556a
--! Message: risk

-- What may be lost, what was, and what stops the loss: limits, margin, measures, breakers, alerts and stress tests.

create table risk_limits (
  id uuid primary key default gen_random_uuid(),
  name text not null unique check (name <> ''),
  description text not null default '',
  limit_type text not null check (limit_type in (
    'daily_loss', 'drawdown', 'leverage', 'position_size', 'open_positions', 'order_notional', 'exposure', 'order_rate')),
  scope text not null check (scope in ('global', 'asset_class', 'instrument', 'user', 'account')),
  asset_class text check (asset_class in ('forex', 'crypto', 'commodity', 'index', 'equity')),
  instrument_id uuid references instruments (id),
  user_id uuid references users (id),
  account_id uuid references accounts (id),
  unit text not null check (unit in ('currency', 'ratio', 'quantity', 'count')),
  currency text references currencies (code),
  threshold numeric(30,8) not null check (threshold > 0),
  warning_ratio numeric(9,6) not null default 0.8 check (warning_ratio > 0 and warning_ratio < 1),
  action text not null check (action in ('alert', 'block_orders', 'close_only', 'liquidate')),
  is_active boolean not null default true,
  created_by uuid references users (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint risk_limits_scope_names_its_object check (
    (asset_class is not null) = (scope = 'asset_class') and (instrument_id is not null) = (scope = 'instrument')
    and (user_id is not null) = (scope = 'user') and (account_id is not null) = (scope = 'account')),
  constraint risk_limits_money_has_currency check ((unit = 'currency') = (currency is not null))
);
comment on table risk_limits is 'Limits; the narrowest scope that fits an order counts, and the global one always.';
comment on column risk_limits.threshold is 'In the unit of the row: money of currency, a ratio (1 is 100 %), a quantity, a count.';
comment on column risk_limits.warning_ratio is 'Share of the threshold from which on a warning is raised.';

create table risk_limit_breaches (
  id uuid primary key default gen_random_uuid(),
  risk_limit_id uuid not null references risk_limits (id),
  account_id uuid references accounts (id),
  order_id uuid references orders (id),
  severity text not null check (severity in ('warning', 'breach')),
  measured_value numeric(30,8) not null,
  threshold numeric(30,8) not null check (threshold > 0),
  action_taken text not null check (action_taken in ('none', 'alert', 'block_orders', 'close_only', 'liquidate')),
  breached_at timestamptz not null default now(),
  resolved_at timestamptz constraint risk_limit_breaches_resolved_after_breach check (resolved_at >= breached_at),
  resolved_by uuid references users (id),
  notes text not null default '',
  updated_at timestamptz not null default now(),
  constraint risk_limit_breaches_resolver_has_time check (resolved_by is null or resolved_at is not null),
  constraint risk_limit_breaches_breach_is_over check (severity = 'warning' or measured_value >= threshold)
);
comment on table risk_limit_breaches is 'Limits reached or nearly so, with the threshold as it was then.';

create table margin_requirements (
  id uuid primary key default gen_random_uuid(),
  instrument_id uuid references instruments (id),
  asset_class text check (asset_class in ('forex', 'crypto', 'commodity', 'index', 'equity')),
  account_type text not null check (account_type in ('live', 'demo', 'margin')),
  min_notional numeric(30,8) not null default 0 check (min_notional >= 0),
  max_notional numeric(30,8),
  initial_rate numeric(9,6) not null check (initial_rate > 0 and initial_rate <= 1),
  maintenance_rate numeric(9,6) not null check (maintenance_rate > 0),
  effective_from timestamptz not null default now(),
  effective_to timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint margin_requirements_notional_range check (max_notional > min_notional),
  constraint margin_requirements_effective_range check (effective_to > effective_from),
  constraint margin_requirements_one_subject check (num_nonnulls(instrument_id, asset_class) = 1),
  constraint margin_requirements_maintenance_below_initial check (maintenance_rate <= initial_rate),
  constraint margin_requirements_instrument_no_overlap exclude using gist (
    instrument_id with =,
    account_type with =,
    numrange(min_notional, max_notional) with &&,
    tstzrange(effective_from, effective_to) with &&
  ) where (instrument_id is not null),
  constraint margin_requirements_asset_class_no_overlap exclude using gist (
    asset_class with =,
    account_type with =,
    numrange(min_notional, max_notional) with &&,
    tstzrange(effective_from, effective_to) with &&
  ) where (asset_class is not null)
);
comment on table margin_requirements is 'Margin by size of the position: of an instrument, or else of its asset class. Tiers never overlap.';
comment on column margin_requirements.initial_rate is 'Share of the notional needed to open.';
comment on column margin_requirements.maintenance_rate is 'Share needed to keep it.';
comment on column margin_requirements.max_notional is 'Tier ends below this; null has no end.';

create table margin_calls (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references accounts (id),
  status text not null default 'open' check (status in ('open', 'met', 'stopped_out', 'withdrawn')),
  equity numeric(24,8) not null,
  margin_used numeric(24,8) not null check (margin_used > 0),
  margin_level numeric(18,6) generated always as (round(equity / nullif(margin_used, 0), 6)) stored,
  amount_due numeric(24,8) not null check (amount_due > 0),
  called_at timestamptz not null default now(),
  due_at timestamptz not null,
  notified_at timestamptz,
  closed_at timestamptz,
  updated_at timestamptz not null default now(),
  constraint margin_calls_due_after_call check (due_at > called_at),
  constraint margin_calls_closed_after_call check (closed_at >= called_at),
  constraint margin_calls_closed_has_time check ((status = 'open') = (closed_at is null))
);
comment on table margin_calls is 'Demands for more margin, with the account as it stood then.';
comment on column margin_calls.margin_level is 'Equity over margin used; 1 is 100 %.';

create table position_risk_metrics (
  id uuid primary key default gen_random_uuid(),
  position_id uuid not null references positions (id),
  calculated_at timestamptz not null,
  notional numeric(30,8) not null check (notional >= 0),
  var_95 numeric(24,8) check (var_95 >= 0),
  var_99 numeric(24,8),
  expected_shortfall numeric(24,8),
  delta numeric(24,10),
  gamma numeric(24,10),
  vega numeric(24,10),
  theta numeric(24,10),
  rho numeric(24,10),
  liquidation_price numeric(20,10) check (liquidation_price > 0),
  unique (position_id, calculated_at),
  constraint position_risk_metrics_var_grows check (var_99 >= var_95 and expected_shortfall >= var_95)
);
comment on table position_risk_metrics is 'Risk of a position at a time: value at risk of one day, expected shortfall, Greeks.';
comment on column position_risk_metrics.var_95 is 'Loss of one day, in the account''s currency, exceeded in 5 of 100 days.';

create table portfolio_risk (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references accounts (id),
  calculated_at timestamptz not null,
  gross_exposure numeric(30,8) not null check (gross_exposure >= 0),
  net_exposure numeric(30,8) not null,
  leverage numeric(18,6) check (leverage >= 0),
  var_95 numeric(24,8) check (var_95 >= 0),
  var_99 numeric(24,8),
  expected_shortfall numeric(24,8),
  max_drawdown numeric(9,6) check (max_drawdown between 0 and 1),
  concentration numeric(9,6) check (concentration between 0 and 1),
  sharpe_ratio numeric(12,6),
  by_asset_class jsonb not null default '{}' check (jsonb_typeof(by_asset_class) = 'object'),
  unique (account_id, calculated_at),
  constraint portfolio_risk_net_within_gross check (abs(net_exposure) <= gross_exposure),
  constraint portfolio_risk_var_grows check (var_99 >= var_95 and expected_shortfall >= var_95)
);
comment on table portfolio_risk is 'Risk of a whole account at a time.';
comment on column portfolio_risk.concentration is 'Share of the largest instrument in the gross exposure.';
comment on column portfolio_risk.by_asset_class is 'Gross exposure of each asset class; amounts as strings, JSON numbers are not exact everywhere.';

create table circuit_breakers (
  id uuid primary key default gen_random_uuid(),
  name text not null unique check (name <> ''),
  description text not null default '',
  breaker_type text not null check (breaker_type in ('volatility', 'loss_limit', 'price_movement', 'volume', 'manual')),
  scope text not null check (scope in ('global', 'asset_class', 'instrument', 'account')),
  asset_class text check (asset_class in ('forex', 'crypto', 'commodity', 'index', 'equity')),
  instrument_id uuid references instruments (id),
  account_id uuid references accounts (id),
  threshold numeric(30,8) check (threshold > 0),
  window_seconds integer check (window_seconds > 0),
  cooldown_seconds integer not null default 300 check (cooldown_seconds >= 0),
  action text not null check (action in ('halt', 'close_only', 'alert')),
  status text not null default 'armed' check (status in ('armed', 'tripped', 'disabled')),
  tripped_at timestamptz,
  resets_at timestamptz,
  trip_count integer not null default 0 check (trip_count >= 0),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint circuit_breakers_resets_after_trip check (resets_at >= tripped_at),
  constraint circuit_breakers_scope_names_its_object check (
    (asset_class is not null) = (scope = 'asset_class') and (instrument_id is not null) = (scope = 'instrument')
    and (account_id is not null) = (scope = 'account')),
  constraint circuit_breakers_measured_has_threshold check (breaker_type = 'manual' or (threshold is not null and window_seconds is not null)),
  constraint circuit_breakers_tripped_has_time check ((status = 'tripped') = (tripped_at is not null))
);
comment on table circuit_breakers is 'What stops trading by itself, and whether it has.';
comment on column circuit_breakers.threshold is 'Ratio (0.05 is 5 %) for volatility and price_movement, money for loss_limit, quantity for volume.';
comment on column circuit_breakers.resets_at is 'Armed again at this time; null waits for a person.';

create table circuit_breaker_events (
  id uuid primary key default gen_random_uuid(),
  circuit_breaker_id uuid not null references circuit_breakers (id),
  occurred_at timestamptz not null default now(),
  event_type text not null check (event_type in ('tripped', 'reset', 'disabled', 'enabled')),
  measured_value numeric(30,8),
  threshold numeric(30,8),
  reason text not null default '',
  user_id uuid references users (id),
  details jsonb not null default '{}' check (jsonb_typeof(details) = 'object')
);
comment on table circuit_breaker_events is 'Each change of a breaker''s state. Append-only.';
comment on column circuit_breaker_events.user_id is 'Who did it; null means the system did.';

create table risk_alerts (
  id uuid primary key default gen_random_uuid(),
  severity text not null check (severity in ('info', 'warning', 'critical')),
  title text not null check (title <> ''),
  message text not null default '',
  account_id uuid references accounts (id),
  risk_limit_breach_id uuid references risk_limit_breaches (id),
  margin_call_id uuid references margin_calls (id),
  circuit_breaker_event_id uuid references circuit_breaker_events (id),
  risk_event_id uuid references risk_events (id),
  status text not null default 'open' check (status in ('open', 'acknowledged', 'dismissed')),
  handled_by uuid references users (id),
  handled_at timestamptz,
  delivered_to text[] not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint risk_alerts_at_most_one_cause check (
    num_nonnulls(risk_limit_breach_id, margin_call_id, circuit_breaker_event_id, risk_event_id) <= 1),
  constraint risk_alerts_handled_has_person check (
    (status = 'open') = (handled_at is null) and (handled_at is null) = (handled_by is null))
);
comment on table risk_alerts is 'What risk staff are told, and who took it up.';
comment on column risk_alerts.delivered_to is 'Channels that took the alert, such as email or pager.';

create table stress_test_scenarios (
  id uuid primary key default gen_random_uuid(),
  name text not null unique check (name <> ''),
  description text not null default '',
  scenario_type text not null check (scenario_type in ('historical', 'hypothetical', 'sensitivity')),
  shocks jsonb not null check (jsonb_typeof(shocks) = 'object' and shocks <> '{}'),
  reference_date date,
  is_active boolean not null default true,
  created_by uuid references users (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint stress_test_scenarios_historical_has_date check (scenario_type <> 'historical' or reference_date is not null)
);
comment on table stress_test_scenarios is 'Market moves to hold the book against.';
comment on column stress_test_scenarios.shocks is
  'Asset class or symbol to relative price change, a string: {"crypto": "-0.40", "XAUUSD": "0.08"}; a symbol goes before its class.';

create table stress_test_results (
  id uuid primary key default gen_random_uuid(),
  run_id uuid not null,
  scenario_id uuid not null references stress_test_scenarios (id),
  account_id uuid references accounts (id),
  run_at timestamptz not null default now(),
  value_before numeric(30,8) not null,
  value_after numeric(30,8) not null,
  pnl numeric(30,8) generated always as (value_after - value_before) stored,
  margin_level_after numeric(18,6),
  triggers_margin_call boolean not null default false,
  worst_position_id uuid references positions (id),
  details jsonb not null default '{}' check (jsonb_typeof(details) = 'object'),
  unique nulls not distinct (run_id, scenario_id, account_id)
);
comment on table stress_test_results is 'What a scenario would do to an account; a null account is the whole book.';
comment on column stress_test_results.run_id is 'Groups the results of one run.';

-- Indexes

-- One active limit of a kind for a subject: with two, which counts?
create unique index risk_limits_active_subject_key on risk_limits (limit_type, scope, asset_class, instrument_id, user_id, account_id)
  nulls not distinct where is_active;
create index risk_limits_instrument_idx on risk_limits (instrument_id) where instrument_id is not null;
create index risk_limits_user_idx on risk_limits (user_id) where user_id is not null;
create index risk_limits_account_idx on risk_limits (account_id) where account_id is not null;
create index risk_limits_currency_idx on risk_limits (currency) where currency is not null;
create index risk_limits_created_by_idx on risk_limits (created_by) where created_by is not null;
create index risk_limit_breaches_limit_idx on risk_limit_breaches (risk_limit_id, breached_at desc);
create index risk_limit_breaches_account_idx on risk_limit_breaches (account_id, breached_at desc) where account_id is not null;
create index risk_limit_breaches_order_idx on risk_limit_breaches (order_id) where order_id is not null;
create index risk_limit_breaches_resolved_by_idx on risk_limit_breaches (resolved_by) where resolved_by is not null;
create index risk_limit_breaches_open_idx on risk_limit_breaches (breached_at desc) where resolved_at is null;
create index margin_requirements_instrument_idx on margin_requirements (instrument_id, account_type, min_notional) where instrument_id is not null;
create unique index margin_calls_one_open_key on margin_calls (account_id) where status = 'open';
create index margin_calls_account_idx on margin_calls (account_id, called_at desc);
create index margin_calls_due_idx on margin_calls (due_at) where status = 'open';
create index position_risk_metrics_calculated_brin on position_risk_metrics using brin (calculated_at) with (autosummarize = on);
create index position_risk_metrics_var_idx on position_risk_metrics (var_99 desc nulls last);
create index portfolio_risk_calculated_brin on portfolio_risk using brin (calculated_at) with (autosummarize = on);
create index portfolio_risk_by_asset_class_idx on portfolio_risk using gin (by_asset_class jsonb_path_ops);
create index circuit_breakers_armed_idx on circuit_breakers (breaker_type, scope) where status = 'armed';
create index circuit_breakers_instrument_idx on circuit_breakers (instrument_id) where instrument_id is not null;
create index circuit_breakers_account_idx on circuit_breakers (account_id) where account_id is not null;
create index circuit_breakers_tripped_idx on circuit_breakers (resets_at) where status = 'tripped';
create index circuit_breaker_events_breaker_idx on circuit_breaker_events (circuit_breaker_id, occurred_at desc);
create index circuit_breaker_events_user_idx on circuit_breaker_events (user_id) where user_id is not null;
create index circuit_breaker_events_occurred_brin on circuit_breaker_events using brin (occurred_at) with (autosummarize = on);
create index risk_alerts_open_idx on risk_alerts (severity, created_at desc) where status = 'open';
create index risk_alerts_account_idx on risk_alerts (account_id, created_at desc) where account_id is not null;
create index risk_alerts_breach_idx on risk_alerts (risk_limit_breach_id) where risk_limit_breach_id is not null;
create index risk_alerts_margin_call_idx on risk_alerts (margin_call_id) where margin_call_id is not null;
create index risk_alerts_breaker_event_idx on risk_alerts (circuit_breaker_event_id) where circuit_breaker_event_id is not null;
create index risk_alerts_risk_event_idx on risk_alerts (risk_event_id) where risk_event_id is not null;
create index risk_alerts_handled_by_idx on risk_alerts (handled_by) where handled_by is not null;
create index stress_test_scenarios_created_by_idx on stress_test_scenarios (created_by) where created_by is not null;
create index stress_test_scenarios_shocks_idx on stress_test_scenarios using gin (shocks jsonb_path_ops);
create index stress_test_results_scenario_idx on stress_test_results (scenario_id, run_at desc);
create index stress_test_results_account_idx on stress_test_results (account_id, run_at desc) where account_id is not null;
create index stress_test_results_worst_position_idx on stress_test_results (worst_position_id) where worst_position_id is not null;
create index stress_test_results_details_idx on stress_test_results using gin (details jsonb_path_ops);

-- Triggers

do $$
declare
  stamped text;
begin
  foreach stamped in array array[
    'risk_limits', 'risk_limit_breaches', 'margin_requirements', 'margin_calls', 'circuit_breakers', 'risk_alerts', 'stress_test_scenarios'
  ] loop
    execute format('create trigger set_updated_at before update on %I for each row execute function set_updated_at()', stamped);
  end loop;
  foreach stamped in array array['risk_limits', 'margin_requirements', 'margin_calls', 'circuit_breakers', 'stress_test_scenarios'] loop
    execute format('create trigger audit_change after insert or update or delete on %I
                    for each row execute function audit_row_change(''id'')', stamped);
  end loop;
end
$$;

create trigger reject_row_change before update or delete on circuit_breaker_events for each row execute function reject_row_change();
create trigger reject_truncate before truncate on circuit_breaker_events for each statement execute function reject_row_change();
select revoke_from_grantees('circuit_breaker_events', array['UPDATE', 'DELETE', 'TRUNCATE']);

analyze risk_limits, risk_limit_breaches, margin_requirements, margin_calls, position_risk_metrics, portfolio_risk, circuit_breakers,
  circuit_breaker_events, risk_alerts, stress_test_scenarios, stress_test_results;
