--! Previous: sha1:8d2b9a91b1e83fea9a51b7b4b8c4968d2c0a2985
--! Hash: sha1:daac839524778228cacd3bb6fdd6509f660445bc
--! Message: liquidity providers

-- Who fills orders, at what prices, how orders find their way there (smart order routing) and how well it went.

create table liquidity_providers (
  id uuid primary key default gen_random_uuid(),
  code text not null unique check (code ~ '^[A-Z0-9_]{2,20}$'),
  name text not null check (name <> ''),
  provider_type text not null check (provider_type in ('exchange', 'broker', 'bank', 'prime_broker', 'aggregator', 'market_maker')),
  connection_type text not null check (connection_type in ('fix', 'rest', 'websocket')),
  endpoint text,
  credentials_name text,
  status text not null default 'disabled' check (status in ('active', 'degraded', 'maintenance', 'disabled')),
  priority smallint not null default 100 check (priority between 1 and 1000),
  asset_classes text[] not null
    check (cardinality(asset_classes) > 0 and asset_classes <@ array['forex', 'crypto', 'commodity', 'index', 'equity']::text[]),
  settlement_currency text not null references currencies (code),
  max_order_notional numeric(30,8) check (max_order_notional > 0),
  daily_notional_limit numeric(30,8),
  commission_rate numeric(9,6) not null default 0 check (commission_rate > -1 and commission_rate < 1),
  max_latency_ms integer not null default 1000 check (max_latency_ms > 0),
  last_heartbeat_at timestamptz,
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz constraint liquidity_providers_deleted_after_creation check (deleted_at >= created_at),
  constraint liquidity_providers_daily_limit_holds_an_order check (daily_notional_limit >= coalesce(max_order_notional, 0)),
  constraint liquidity_providers_deleted_is_disabled check (deleted_at is null or status = 'disabled')
);
comment on table liquidity_providers is 'Venues and counterparties that orders are sent to.';
comment on column liquidity_providers.credentials_name is 'Name under which the secret store keeps the credentials; never the credentials.';
comment on column liquidity_providers.priority is 'Lower is asked first when prices are equal.';
comment on column liquidity_providers.max_latency_ms is 'An answer slower than this makes the provider degraded.';

create table lp_instruments (
  id uuid primary key default gen_random_uuid(),
  liquidity_provider_id uuid not null references liquidity_providers (id),
  instrument_id uuid not null references instruments (id),
  lp_symbol text not null check (lp_symbol <> ''),
  is_tradable boolean not null default true,
  min_quantity numeric(24,8) not null check (min_quantity > 0),
  max_quantity numeric(24,8) not null,
  quantity_step numeric(24,8) not null check (quantity_step > 0),
  typical_spread numeric(20,10) check (typical_spread >= 0),
  markup numeric(20,10) not null default 0 check (markup >= 0),
  margin_rate numeric(9,6) not null default 1 check (margin_rate > 0 and margin_rate <= 1),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (liquidity_provider_id, instrument_id),
  unique (liquidity_provider_id, lp_symbol),
  constraint lp_instruments_quantity_range check (max_quantity >= min_quantity)
);
comment on table lp_instruments is 'What a provider offers, under its own symbol and terms.';
comment on column lp_instruments.markup is 'Added to each side of the provider''s price before a client sees it, in price units.';

create table lp_quotes (
  id uuid not null default gen_random_uuid(),
  quoted_at timestamptz not null,
  received_at timestamptz not null default clock_timestamp(),
  liquidity_provider_id uuid not null,
  instrument_id uuid not null,
  bid numeric(20,10) not null check (bid > 0),
  ask numeric(20,10) not null,
  bid_quantity numeric(24,8) not null check (bid_quantity >= 0),
  ask_quantity numeric(24,8) not null check (ask_quantity >= 0),
  mid numeric(20,10) generated always as ((bid + ask) / 2) stored,
  spread numeric(20,10) generated always as (ask - bid) stored,
  is_indicative boolean not null default false,
  primary key (id, quoted_at),
  foreign key (liquidity_provider_id, instrument_id) references lp_instruments (liquidity_provider_id, instrument_id),
  constraint lp_quotes_not_crossed check (ask >= bid)
) partition by range (quoted_at);
comment on table lp_quotes is 'Prices as providers quoted them, kept as evidence of best execution. Append-only, one partition a month.';
comment on column lp_quotes.quoted_at is 'The provider''s clock; received_at is ours.';
comment on column lp_quotes.is_indicative is 'For information only: no order may be sent against it.';

create table lp_quotes_default partition of lp_quotes default;
comment on table lp_quotes_default is 'Rows of lp_quotes in months that have no partition yet.';

create table client_profiles (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null unique references users (id) on delete cascade,
  category text not null default 'retail' check (category in ('retail', 'professional', 'eligible_counterparty')),
  flow_class text not null default 'unrated' check (flow_class in ('unrated', 'benign', 'mixed', 'toxic')),
  preferred_book text check (preferred_book in ('a_book', 'b_book')),
  toxicity_score numeric(9,6) check (toxicity_score between 0 and 1),
  win_rate numeric(9,6) check (win_rate between 0 and 1),
  average_holding_seconds integer check (average_holding_seconds >= 0),
  average_trade_notional numeric(30,8) check (average_trade_notional >= 0),
  trade_count integer not null default 0 check (trade_count >= 0),
  evaluated_at timestamptz,
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint client_profiles_rated_was_evaluated check (flow_class = 'unrated' or (evaluated_at is not null and toxicity_score is not null))
);
comment on table client_profiles is 'How a client trades, as far as routing cares.';
comment on column client_profiles.toxicity_score is 'From 0 to 1: how much the market moves against whoever fills this client.';
comment on column client_profiles.preferred_book is 'Overrides the flow class; null leaves the choice to the rules.';

create table sor_rules (
  id uuid primary key default gen_random_uuid(),
  name text not null unique check (name <> ''),
  description text not null default '',
  priority smallint not null check (priority between 1 and 1000),
  asset_class text check (asset_class in ('forex', 'crypto', 'commodity', 'index', 'equity')),
  instrument_id uuid references instruments (id),
  flow_class text check (flow_class in ('unrated', 'benign', 'mixed', 'toxic')),
  min_notional numeric(30,8) not null default 0 check (min_notional >= 0),
  max_notional numeric(30,8),
  action text not null check (action in ('a_book', 'b_book', 'split', 'reject')),
  a_book_share numeric(9,6),
  liquidity_provider_id uuid references liquidity_providers (id),
  is_active boolean not null default true,
  conditions jsonb not null default '{}' check (jsonb_typeof(conditions) = 'object'),
  created_by uuid references users (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint sor_rules_notional_range check (max_notional > min_notional),
  constraint sor_rules_one_subject check (instrument_id is null or asset_class is null),
  constraint sor_rules_split_has_share check (
    (action = 'split') = (a_book_share is not null) and (a_book_share is null or (a_book_share > 0 and a_book_share < 1))),
  constraint sor_rules_provider_is_a_book check (liquidity_provider_id is null or action in ('a_book', 'split'))
);
comment on table sor_rules is 'Smart order routing: the active rule of lowest priority number that fits an order decides. Null fits all.';
comment on column sor_rules.action is 'a_book passes the order on, b_book fills it from the house, split does both.';
comment on column sor_rules.a_book_share is 'Share of a split order that is passed on, between 0 and 1.';
comment on column sor_rules.liquidity_provider_id is 'Where to; null means whoever has the best price.';

create table lp_order_routing (
  id uuid primary key default gen_random_uuid(),
  order_id uuid not null references orders (id),
  attempt smallint not null check (attempt > 0),
  sor_rule_id uuid references sor_rules (id),
  book text not null check (book in ('a_book', 'b_book')),
  liquidity_provider_id uuid references liquidity_providers (id),
  lp_order_id text,
  status text not null default 'decided' check (status in (
    'decided', 'sent', 'acknowledged', 'partially_filled', 'filled', 'rejected', 'timed_out', 'cancelled')),
  quantity numeric(24,8) not null check (quantity > 0),
  filled_quantity numeric(24,8) not null default 0,
  expected_price numeric(20,10) check (expected_price > 0),
  average_price numeric(20,10) check (average_price > 0),
  slippage numeric(20,10) generated always as (average_price - expected_price) stored,
  latency_ms numeric(12,3) check (latency_ms >= 0),
  reject_reason text,
  candidates jsonb not null default '[]' check (jsonb_typeof(candidates) = 'array'),
  decided_at timestamptz not null default now(),
  sent_at timestamptz,
  completed_at timestamptz,
  updated_at timestamptz not null default now(),
  unique (order_id, attempt),
  unique (liquidity_provider_id, lp_order_id),
  constraint lp_order_routing_sent_after_decision check (sent_at >= decided_at),
  constraint lp_order_routing_completed_after_decision check (completed_at >= decided_at),
  constraint lp_order_routing_a_book_has_provider check ((book = 'a_book') = (liquidity_provider_id is not null)),
  constraint lp_order_routing_filled_quantity_range check (filled_quantity >= 0 and filled_quantity <= quantity),
  constraint lp_order_routing_status_fits_fills check (case status
    when 'filled' then filled_quantity = quantity
    when 'partially_filled' then filled_quantity > 0 and filled_quantity < quantity
    when 'cancelled' then filled_quantity < quantity
    when 'timed_out' then filled_quantity < quantity
    else filled_quantity = 0 end),
  constraint lp_order_routing_rejected_has_reason check ((status = 'rejected') = (reject_reason is not null))
);
comment on table lp_order_routing is 'Where each order, or part of one, was sent, by which rule, and what came of it.';
comment on column lp_order_routing.attempt is '1 for the first try; a rejected or timed-out one is followed by the next.';
comment on column lp_order_routing.candidates is 'Providers considered, with their prices and scores at that moment.';
comment on column lp_order_routing.slippage is 'Average minus expected price; positive is worse for a buy.';

create table lp_performance_metrics (
  id uuid primary key default gen_random_uuid(),
  liquidity_provider_id uuid not null references liquidity_providers (id),
  instrument_id uuid references instruments (id),
  period_start timestamptz not null,
  period_end timestamptz not null,
  orders_sent integer not null default 0,
  orders_filled integer not null default 0 check (orders_filled >= 0),
  orders_rejected integer not null default 0 check (orders_rejected >= 0),
  fill_ratio numeric(9,6) generated always as (round(orders_filled::numeric / nullif(orders_sent, 0), 6)) stored,
  volume_notional numeric(30,8) not null default 0 check (volume_notional >= 0),
  average_latency_ms numeric(12,3) check (average_latency_ms >= 0),
  p95_latency_ms numeric(12,3) check (p95_latency_ms >= 0),
  average_slippage_bps numeric(12,4),
  average_spread_bps numeric(12,4) check (average_spread_bps >= 0),
  uptime_ratio numeric(9,6) check (uptime_ratio between 0 and 1),
  created_at timestamptz not null default now(),
  unique nulls not distinct (liquidity_provider_id, instrument_id, period_start, period_end),
  constraint lp_performance_metrics_period_range check (period_end > period_start),
  constraint lp_performance_metrics_orders_add_up check (orders_filled + orders_rejected <= orders_sent)
);
comment on table lp_performance_metrics is 'Providers'' quality by period; a null instrument is all instruments together.';
comment on column lp_performance_metrics.average_slippage_bps is 'Basis points of the expected price; negative is better than expected.';

create table lp_exposure (
  id uuid primary key default gen_random_uuid(),
  liquidity_provider_id uuid not null references liquidity_providers (id),
  instrument_id uuid not null references instruments (id),
  long_quantity numeric(24,8) not null default 0 check (long_quantity >= 0),
  short_quantity numeric(24,8) not null default 0 check (short_quantity >= 0),
  net_quantity numeric(24,8) generated always as (long_quantity - short_quantity) stored,
  net_notional numeric(30,8) not null default 0,
  notional_limit numeric(30,8) check (notional_limit > 0),
  margin_used numeric(24,8) not null default 0 check (margin_used >= 0),
  unrealized_pnl numeric(24,8) not null default 0,
  as_of timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (liquidity_provider_id, instrument_id)
);
comment on table lp_exposure is 'What we hold with each provider now. May exceed its limit: the market moves by itself.';

alter table order_fills add constraint order_fills_liquidity_provider_id_fkey
  foreign key (liquidity_provider_id) references liquidity_providers (id);

-- Indexes

create index order_fills_liquidity_provider_idx on order_fills (liquidity_provider_id, executed_at desc) where liquidity_provider_id is not null;
create index liquidity_providers_active_idx on liquidity_providers (priority) where status = 'active' and deleted_at is null;
create index liquidity_providers_settlement_currency_idx on liquidity_providers (settlement_currency);
create index liquidity_providers_asset_classes_idx on liquidity_providers using gin (asset_classes);
create index liquidity_providers_metadata_idx on liquidity_providers using gin (metadata jsonb_path_ops);
create index lp_instruments_instrument_idx on lp_instruments (instrument_id, is_tradable) include (liquidity_provider_id);
-- Newest price of a pair at one provider and at all of them; a month by time.
create index lp_quotes_provider_idx on lp_quotes (liquidity_provider_id, instrument_id, quoted_at desc);
create index lp_quotes_instrument_idx on lp_quotes (instrument_id, quoted_at desc) include (bid, ask);
create index lp_quotes_quoted_brin on lp_quotes using brin (quoted_at) with (autosummarize = on);
create index client_profiles_flow_idx on client_profiles (flow_class, toxicity_score desc);
create index client_profiles_metadata_idx on client_profiles using gin (metadata jsonb_path_ops);
-- The router reads active rules in order; two of one priority would make the choice an accident.
create unique index sor_rules_active_priority_key on sor_rules (priority) where is_active;
create index sor_rules_instrument_idx on sor_rules (instrument_id) where instrument_id is not null;
create index sor_rules_provider_idx on sor_rules (liquidity_provider_id) where liquidity_provider_id is not null;
create index sor_rules_created_by_idx on sor_rules (created_by) where created_by is not null;
create index sor_rules_conditions_idx on sor_rules using gin (conditions jsonb_path_ops);
create index lp_order_routing_provider_idx on lp_order_routing (liquidity_provider_id, decided_at desc) where liquidity_provider_id is not null;
create index lp_order_routing_rule_idx on lp_order_routing (sor_rule_id) where sor_rule_id is not null;
create index lp_order_routing_in_flight_idx on lp_order_routing (sent_at) where status in ('sent', 'acknowledged', 'partially_filled');
create index lp_order_routing_failed_idx on lp_order_routing (decided_at desc, liquidity_provider_id) where status in ('rejected', 'timed_out');
create index lp_order_routing_decided_brin on lp_order_routing using brin (decided_at) with (autosummarize = on);
create index lp_performance_metrics_period_idx on lp_performance_metrics (period_start desc, liquidity_provider_id);
create index lp_performance_metrics_instrument_idx on lp_performance_metrics (instrument_id) where instrument_id is not null;
create index lp_exposure_instrument_idx on lp_exposure (instrument_id);
create index lp_exposure_over_limit_idx on lp_exposure (liquidity_provider_id) where abs(net_notional) > notional_limit;

alter table lp_quotes alter column instrument_id set statistics 1000;
alter table lp_quotes alter column liquidity_provider_id set statistics 1000;

-- Triggers

do $$
declare
  stamped text;
begin
  foreach stamped in array array[
    'liquidity_providers', 'lp_instruments', 'client_profiles', 'sor_rules', 'lp_order_routing', 'lp_exposure'
  ] loop
    execute format('create trigger set_updated_at before update on %I for each row execute function set_updated_at()', stamped);
  end loop;
end
$$;

create trigger audit_change after insert or update or delete on liquidity_providers
  for each row execute function audit_row_change('id', 'last_heartbeat_at');
create trigger audit_change after insert or update or delete on lp_instruments for each row execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on sor_rules for each row execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on client_profiles for each row execute function audit_row_change('id');

create trigger reject_row_change before update or delete on lp_quotes for each row execute function reject_row_change();
create trigger reject_truncate before truncate on lp_quotes for each statement execute function reject_row_change();

select revoke_from_grantees('lp_quotes', array['UPDATE', 'DELETE', 'TRUNCATE']),
       copy_privileges('lp_quotes', 'lp_quotes_default');

select ensure_partitions(3);

analyze liquidity_providers, lp_instruments, client_profiles, sor_rules, lp_order_routing, lp_performance_metrics, lp_exposure,
  lp_quotes;
