--! Title: Three months of orders, fills, trades and closed positions

-- Round trip number n: an order that opens a position at a day's open and one that closes it at the day's close.
create temporary table round_trip on commit drop as
with listed as (
  select id, contract_size, quantity_step, price_decimals, quote_currency, commission_rate, row_number() over (order by symbol) - 1 as place
  from instruments where metadata ->> 'seed' = 'dev'
), account as (
  select accounts.id, user_id, row_number() over (order by account_number) - 1 as place
  from accounts join users on users.id = user_id where users.metadata ->> 'seed' = 'demo'
)
select n, account.id as account_id, account.user_id, listed.id as instrument_id, case when n % 3 = 0 then 'short' else 'long' end as side,
  greatest(quantity_step, floor(20000 / (bar.open * contract_size) / quantity_step) * quantity_step) as quantity,
  bar.open as entry_price, bar.close as exit_price, contract_size, quote_currency, commission_rate,
  bar.opened_at + make_interval(mins => 30 + n % 400) as opened_at, bar.opened_at + make_interval(mins => 600 + n % 700) as closed_at
from generate_series(1, 240) as n
join account on account.place = n % 8
join listed on listed.place = n % 15
join users as admin on admin.id = '20000000-0000-4000-8000-000000000001'
join price_bars as bar on bar.instrument_id = listed.id and bar.timeframe = '1d'
  and bar.opened_at = date_trunc('day', admin.created_at at time zone 'UTC') at time zone 'UTC' - make_interval(days => 1 + n % 89);

-- Each leg once, with its cost and its profit in dollars.
create temporary table leg on commit drop as
select md5('demo-order:' || kind || n)::uuid as order_id, md5('demo-fill:' || kind || n)::uuid as fill_id, md5('demo-position:' || n)::uuid as position_id,
  n, kind, account_id, user_id, instrument_id, quantity,
  case when (side = 'long') = (kind = 'open') then 'buy' else 'sell' end as side,
  case kind when 'open' then entry_price else exit_price end as price, case kind when 'open' then opened_at else closed_at end as at,
  round(quantity * contract_size * entry_price * commission_rate / case quote_currency when 'USD' then 1 else entry_price end, 2) as commission,
  case kind when 'close' then round((exit_price - entry_price) * case side when 'long' then 1 else -1 end * quantity * contract_size
    / case quote_currency when 'USD' then 1 else exit_price end, 2) else 0 end as realized_pnl
from round_trip cross join (values ('open'), ('close')) as legs (kind);

insert into positions (id, account_id, instrument_id, side, status, is_netting, quantity, opened_quantity, average_entry_price, average_exit_price,
  current_price, realized_pnl, commission, close_reason, opened_at, closed_at, metadata)
select position_id, trip.account_id, trip.instrument_id, trip.side, 'closed', false, 0, trip.quantity, entry_price, exit_price, exit_price,
  leg.realized_pnl, 2 * leg.commission, case when leg.realized_pnl > 0 then 'take_profit' when trip.n % 2 = 0 then 'stop_loss' else 'client' end,
  opened_at, closed_at, '{"seed": "demo"}'
from round_trip as trip join leg on leg.n = trip.n and leg.kind = 'close'
on conflict (id) do nothing;

insert into orders (id, account_id, instrument_id, user_id, position_id, client_order_id, side, order_type, time_in_force, status, quantity, limit_price,
  source, submitted_at, accepted_at, metadata)
select order_id, account_id, instrument_id, user_id, position_id, 'demo-' || kind || '-' || n, side,
  case when n % 2 = 0 then 'market' else 'limit' end, case when n % 2 = 0 then 'ioc' else 'gtc' end, 'new', quantity,
  case when n % 2 = 1 then price end, (array['web', 'mobile', 'api', 'fix'])[1 + n % 4], at - interval '1 second', at - interval '950 milliseconds',
  '{"seed": "demo"}'
from leg
order by at
on conflict (id) do nothing;

insert into order_fills (id, order_id, venue, execution_id, quantity, price, liquidity_provider_id, liquidity, commission, commission_currency, executed_at)
select fill_id, order_id, coalesce(code, 'HOUSE'), 'demo-' || kind || '-' || n, quantity, price, liquidity_providers.id,
  case when n % 2 = 0 then 'taker' else 'maker' end, commission, 'USD', at
from leg
left join liquidity_providers on liquidity_providers.code = (array['BINANCE', 'OANDA', 'PRIME', 'AGG', null])[1 + n % 5]
order by at
on conflict (venue, execution_id) do nothing;

insert into trades (id, fill_id, order_id, account_id, instrument_id, position_id, side, quantity, price, is_closing, realized_pnl, commission, executed_at, settles_on)
select md5('trade:' || fill_id)::uuid, fill_id, order_id, account_id, instrument_id, position_id, side, quantity, price, kind = 'close', realized_pnl,
  commission, at, (at at time zone 'UTC')::date + 2
from leg
on conflict (fill_id) do nothing;

insert into account_transactions (id, account_id, transaction_type, amount, trade_id, idempotency_key, description)
select md5(booking.kind || ':' || trades.id)::uuid, trades.account_id, booking.kind, booking.amount, trades.id, booking.kind || ':' || trades.id, symbol
from leg
join trades using (fill_id)
join instruments on instruments.id = trades.instrument_id
cross join lateral (values ('commission', -trades.commission), ('trade_pnl', trades.realized_pnl)) as booking (kind, amount)
where booking.amount <> 0
order by trades.executed_at, leg.n, leg.kind desc, booking.kind
on conflict (account_id, idempotency_key) do nothing;

-- Working and cancelled orders around the present price.
insert into orders (id, account_id, instrument_id, user_id, client_order_id, side, order_type, status, quantity, limit_price, source,
  submitted_at, accepted_at, cancelled_at, metadata)
select md5('demo-working:' || n)::uuid, account_id, trip.instrument_id, user_id, 'demo-working-' || n, case when n % 2 = 0 then 'buy' else 'sell' end,
  'limit', case when n % 5 = 0 then 'cancelled' else 'new' end, quantity,
  round((instruments.metadata ->> 'reference_price')::numeric * (1 + case when n % 2 = 0 then -1 else 1 end * 0.002 * (1 + n % 12)), price_decimals),
  'api', admin.created_at - make_interval(mins => 10 * n), admin.created_at - make_interval(mins => 10 * n),
  case when n % 5 = 0 then admin.created_at - make_interval(mins => 5 * n) end, '{"seed": "demo"}'
from round_trip as trip
join instruments on instruments.id = trip.instrument_id
join users as admin on admin.id = '20000000-0000-4000-8000-000000000001'
where n <= 120
on conflict (id) do nothing;
