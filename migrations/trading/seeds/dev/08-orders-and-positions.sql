--! Title: Sixteen orders in every state, their fills, trades and positions

-- Positions as they stand after the trades below.
with anchor as (
  select date_trunc('day', created_at at time zone 'UTC') at time zone 'UTC' as day
  from users where id = '20000000-0000-4000-8000-000000000001'
)
insert into positions (id, account_id, instrument_id, side, status, is_netting, quantity, opened_quantity, average_entry_price,
  average_exit_price, current_price, stop_loss, take_profit, margin_used, unrealized_pnl, realized_pnl, commission, close_reason, opened_at, closed_at)
select ('60000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, ('30000000-0000-4000-8000-' || lpad(account::text, 12, '0'))::uuid,
  md5('instrument:' || symbol)::uuid, side, case when quantity > 0 then 'open' else 'closed' end, account <> 2, quantity, opened_quantity,
  entry_price, exit_price, current_price, stop_loss, take_profit, margin_used, unrealized_pnl, realized_pnl, commission,
  case when quantity = 0 then 'take_profit' end, day - make_interval(mins => opened), case when quantity = 0 then day - interval '140 minutes' end
from anchor, (values
  (1, 1, 'EURUSD', 'long', 0.6, 1.0, 1.08410, 1.08640, 1.08500, 1.07900, 1.09600, 2168.20, 54.00, 92.00, 4.55, 600),
  (2, 1, 'XAUUSD', 'long', 2.0, 2.0, 2639.65, null, 2648.00, 2600.00, 2720.00, 26396.50, 1670.00, 0, 26.40, 540),
  (3, 2, 'BTCUSD', 'long', 0.5, 0.5, 96980.00, null, 97250.00, 92000.00, null, 24245.00, 135.00, 0, 24.25, 300),
  (4, 2, 'ETHUSD', 'long', 0, 10, 3352.60, 3398.00, 3398.00, null, 3398.00, 0, 0, 454.00, 33.75, 480),
  (5, 3, 'EURUSD', 'short', 0.2, 0.2, 1.08620, null, 1.08500, 1.09500, 1.07000, 666.67, 22.12, 0, 0.60, 200),
  (6, 4, 'BTCUSD', 'long', 0.1, 0.1, 97410.00, null, 97250.00, null, null, 4870.50, -16.00, 0, 4.87, 90)
) as held (n, account, symbol, side, quantity, opened_quantity, entry_price, exit_price, current_price, stop_loss, take_profit, margin_used,
  unrealized_pnl, realized_pnl, commission, opened)
on conflict (id) do nothing;

with anchor as (
  select date_trunc('day', created_at at time zone 'UTC') at time zone 'UTC' as day
  from users where id = '20000000-0000-4000-8000-000000000001'
), placed as (
  select *, day - make_interval(mins => minutes) as at
  from anchor, (values
    (1, 1, 1, 'EURUSD', 'buy', 'market', 'ioc', 'new', 1.0, null, null, null, 600, 'web'),
    (2, 1, 2, 'XAUUSD', 'buy', 'limit', 'gtc', 'new', 2.0, 2640.00, null, null, 560, 'web'),
    (3, 1, null, 'GBPUSD', 'sell', 'limit', 'gtc', 'new', 0.5, 1.27500, null, null, 500, 'mobile'),
    (4, 1, null, 'USDJPY', 'buy', 'stop', 'gtc', 'new', 0.3, null, 156.500, null, 420, 'mobile'),
    (5, 1, 1, 'EURUSD', 'sell', 'market', 'day', 'new', 0.4, null, null, null, 120, 'web'),
    (6, 2, 3, 'BTCUSD', 'buy', 'limit', 'gtc', 'new', 0.75, 97000.00, null, null, 310, 'api'),
    (7, 2, 4, 'ETHUSD', 'buy', 'market', 'ioc', 'new', 10, null, null, null, 480, 'api'),
    (8, 2, 4, 'ETHUSD', 'sell', 'limit', 'gtc', 'new', 10, 3398.00, null, null, 400, 'api'),
    (9, 2, null, 'SPX500USD', 'sell', 'stop_limit', 'day', 'new', 5, 5895.0, 5900.0, null, 200, 'fix'),
    (10, 2, null, 'SOLUSD', 'buy', 'limit', 'gtc', 'cancelled', 120, 205.000, null, null, 450, 'api'),
    (11, 3, 5, 'EURUSD', 'sell', 'market', 'ioc', 'new', 0.2, null, null, null, 200, 'web'),
    (12, 3, null, 'NAS100USD', 'buy', 'limit', 'gtd', 'expired', 1, 20400.0, null, null, 900, 'web'),
    (13, 4, 6, 'BTCUSD', 'buy', 'market', 'ioc', 'new', 0.1, null, null, null, 90, 'mobile'),
    (14, 4, null, 'XRPUSD', 'buy', 'market', 'ioc', 'rejected', 250000, null, null, null, 80, 'mobile'),
    (15, 4, null, 'USOIL', 'sell', 'trailing_stop', 'gtc', 'new', 1, null, null, 1.50, 70, 'web'),
    (16, 4, null, 'XAGUSD', 'buy', 'limit', 'day', 'pending_new', 1, 30.200, null, null, 5, 'web')
  ) as listed (n, account, position, symbol, side, order_type, time_in_force, status, quantity, limit_price, stop_price, trailing_offset, minutes, source)
)
insert into orders (id, account_id, instrument_id, user_id, position_id, client_order_id, side, order_type, time_in_force, status, quantity,
  limit_price, stop_price, trailing_offset, source, reject_reason, submitted_at, accepted_at, cancelled_at, expires_at, metadata)
select ('61000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, accounts.id, md5('instrument:' || symbol)::uuid, accounts.user_id,
  ('60000000-0000-4000-8000-' || lpad(position::text, 12, '0'))::uuid, 'dev-' || lpad(n::text, 4, '0'), side, order_type, time_in_force,
  placed.status, quantity, limit_price, stop_price, trailing_offset, source,
  case when placed.status = 'rejected' then 'insufficient_margin' end, at,
  case when placed.status not in ('pending_new', 'rejected') then at + interval '40 milliseconds' end,
  case when placed.status = 'cancelled' then at + interval '25 minutes' end,
  case when time_in_force = 'gtd' then at + interval '8 hours' end, '{"seed": "dev"}'
from placed join accounts on accounts.id = ('30000000-0000-4000-8000-' || lpad(account::text, 12, '0'))::uuid
on conflict (id) do nothing;

-- Fills move the orders to filled or partially filled by themselves.
with fill (n, order_number, venue, quantity, price, liquidity, commission, currency, minutes) as (values
  (1, 1, 'HOUSE', 1.0, 1.08410, 'taker', 3.25, 'USD', 600),
  (2, 2, 'PRIME', 1.2, 2639.80, 'maker', 15.84, 'USD', 548),
  (3, 2, 'PRIME', 0.8, 2639.425, 'maker', 10.56, 'USD', 540),
  (4, 5, 'HOUSE', 0.4, 1.08640, 'taker', 1.30, 'USD', 120),
  (5, 7, 'BINANCE', 6, 3352.00, 'taker', 10.06, 'USD', 480),
  (6, 7, 'BINANCE', 4, 3353.50, 'taker', 6.70, 'USD', 480),
  (7, 6, 'BINANCE', 0.5, 96980.00, 'maker', 24.25, 'USD', 300),
  (8, 8, 'BINANCE', 10, 3398.00, 'maker', 16.99, 'USD', 140),
  (9, 11, 'PRIME', 0.2, 1.08620, 'taker', 0.60, 'EUR', 200),
  (10, 13, 'BINANCE', 0.1, 97410.00, 'taker', 4.87, 'USD', 90)
)
insert into order_fills (id, order_id, venue, execution_id, quantity, price, liquidity_provider_id, liquidity, commission, commission_currency, executed_at)
select ('62000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, orders.id, venue, 'dev-exec-' || lpad(n::text, 4, '0'), fill.quantity, price,
  liquidity_providers.id, liquidity, commission, currency,
  date_trunc('day', users.created_at at time zone 'UTC') at time zone 'UTC' - make_interval(mins => minutes) + interval '80 milliseconds'
from fill
join orders on orders.client_order_id = 'dev-' || lpad(order_number::text, 4, '0') and orders.metadata ->> 'seed' = 'dev'
join users on users.id = '20000000-0000-4000-8000-000000000001'
left join liquidity_providers on liquidity_providers.code = venue
order by minutes desc, n
on conflict (venue, execution_id) do nothing;

insert into trades (id, fill_id, order_id, account_id, instrument_id, position_id, side, quantity, price, is_closing, realized_pnl, commission, executed_at, settles_on)
select md5('trade:' || order_fills.id)::uuid, order_fills.id, orders.id, orders.account_id, orders.instrument_id, orders.position_id, orders.side,
  order_fills.quantity, order_fills.price, orders.client_order_id in ('dev-0005', 'dev-0008'),
  case orders.client_order_id when 'dev-0005' then 92.00 when 'dev-0008' then 454.00 else 0 end,
  order_fills.commission, executed_at, (executed_at at time zone 'UTC')::date + 2
from order_fills join orders on orders.id = order_id
where execution_id like 'dev-exec-%' and orders.metadata ->> 'seed' = 'dev'
on conflict (fill_id) do nothing;

insert into account_transactions (id, account_id, transaction_type, amount, trade_id, idempotency_key, description)
select md5(booking.kind || ':' || trades.id)::uuid, trades.account_id, booking.kind, booking.amount, trades.id, booking.kind || ':' || trades.id,
  initcap(replace(booking.kind, '_', ' ')) || ' ' || symbol
from trades
join order_fills on order_fills.id = fill_id and execution_id like 'dev-exec-%'
join instruments on instruments.id = instrument_id
cross join lateral (values ('commission', -trades.commission), ('trade_pnl', trades.realized_pnl)) as booking (kind, amount)
where booking.amount <> 0
order by trades.executed_at, execution_id, booking.kind
on conflict (account_id, idempotency_key) do nothing;

-- What the open positions mean for their accounts.
with carried as (
  select account_id, sum(margin_used) as margin_used, sum(unrealized_pnl) as unrealized_pnl
  from positions where status = 'open' group by account_id
)
update accounts set margin_used = carried.margin_used, unrealized_pnl = carried.unrealized_pnl
from carried
where carried.account_id = accounts.id and accounts.id::text like '30000000-0000-4000-8000-%'
  and (accounts.margin_used, accounts.unrealized_pnl) is distinct from (carried.margin_used, carried.unrealized_pnl);

-- How the filled orders found their way.
insert into lp_order_routing (id, order_id, attempt, sor_rule_id, book, liquidity_provider_id, lp_order_id, status, quantity, filled_quantity,
  expected_price, average_price, latency_ms, decided_at, sent_at, completed_at)
select md5('routing:' || orders.id)::uuid, orders.id, 1,
  (select id from sor_rules where name = case
    when orders.account_id = '30000000-0000-4000-8000-000000000002' then 'Toxic flow to A-Book'
    when venue = 'BINANCE' then 'Crypto to A-Book'
    when venue = 'HOUSE' then 'Forex to B-Book' end),
  case when liquidity_provider_id is null then 'b_book' else 'a_book' end, liquidity_provider_id,
  case when liquidity_provider_id is not null then 'lp-' || orders.client_order_id end,
  orders.status, orders.quantity, orders.filled_quantity, coalesce(orders.limit_price, orders.average_fill_price), orders.average_fill_price,
  45.5, orders.accepted_at, orders.accepted_at, orders.filled_at
from orders
join (select distinct order_id, venue, liquidity_provider_id from order_fills where execution_id like 'dev-exec-%') as filled
  on filled.order_id = orders.id
where orders.metadata ->> 'seed' = 'dev'
on conflict (order_id, attempt) do nothing;
