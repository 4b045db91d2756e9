-- Positions with four orders each: one opens, one closes or waits to, one was withdrawn, one came to nothing. Rows come in the order of
-- their time, as they would in life. See the first file.

create or replace function pg_temp.draw(digest text, nth integer) returns double precision
  language sql immutable
  return ('x' || substr(digest, nth * 8 - 7, 8))::bit(32)::bigint::double precision / 4294967296;

alter table positions disable trigger user;
alter table orders disable trigger user;
alter table order_fills disable trigger user;
alter table trades disable trigger user;

-- Everything about a position that its rows in four tables share. Of the newest fiftieth those stay open that are the last of their
-- account and instrument.
create temporary table volume_positions on commit drop as
select n, md5('volume:position:' || n)::uuid as id, drawn.account_id, accounts.user_id, drawn.instrument_id, side, drawn.opened_at,
  drawn.opened_at + make_interval(secs => 60 + floor(86400 * power(pg_temp.draw(digest, 1), 3))) as closed_at, entry_price, price_decimals,
  case when side = 'long' then 'buy' else 'sell' end as entry_side, case when side = 'long' then 'sell' else 'buy' end as exit_side,
  round(entry_price * (1 + (pg_temp.draw(digest, 2) - 0.5) / 50)::numeric, price_decimals) as exit_price,
  greatest(0.1, round((200 + 20000 * power(pg_temp.draw(digest, 3), 4))::numeric / entry_price, 2)) as quantity,
  is_new, is_new and row_number() over (partition by drawn.account_id, drawn.instrument_id order by n desc) = 1 as is_open,
  pg_temp.draw(digest, 4) as chance
from (
  select n, n > count * 49 / 50 as is_new, md5('volume:position:more:' || n) as digest,
    md5('volume:account:' || 1 + floor(accounts_count * power(pg_temp.draw(first_digest, 1), 3))::bigint)::uuid as account_id,
    md5('volume:instrument:' || 1 + floor(instruments_count * power(pg_temp.draw(first_digest, 2), 3))::bigint)::uuid as instrument_id,
    case when pg_temp.draw(first_digest, 3) < 0.6 then 'long' else 'short' end as side, pg_temp.draw(first_digest, 4) as price_chance,
    timestamptz '2025-01-02 00:00:00+00' + interval '362 days' * (n - 1) / count as opened_at
  from (
    select (current_setting('pgroundwork.volume_rows')::bigint + 3) / 4 as count,
      greatest(10, current_setting('pgroundwork.volume_rows')::bigint / 50) * 6 / 5 as accounts_count,
      greatest(500, current_setting('pgroundwork.volume_rows')::bigint / 200) as instruments_count
  ) as scale
  cross join generate_series(1, count) as n
  cross join lateral (select md5('volume:position:' || n) as first_digest) as chance
) as drawn
join accounts on accounts.id = drawn.account_id
join instruments on instruments.id = drawn.instrument_id
cross join lateral (
  select round((instruments.metadata ->> 'reference_price')::numeric * (0.95 + price_chance::numeric / 10), price_decimals) as entry_price
) as priced
order by n;
analyze volume_positions;

-- One opening order in four is filled in two parts.
create temporary view volume_fills as
select *, md5(format('volume:order:%s:%s', n, order_number))::uuid as order_id, format('%s-%s-%s', n, order_number, part) as number,
  round(fill_quantity * price * 0.0001, 8) as commission
from volume_positions
cross join lateral (
  select 1 as order_number, 1 as part, false as is_closing, case when n % 4 = 0 then round(quantity * 0.4, 2) else quantity end as fill_quantity,
    entry_price as price, opened_at as executed_at
  union all
  select 1, 2, false, quantity - round(quantity * 0.4, 2), entry_price, opened_at + interval '1 second' where n % 4 = 0
  union all
  select 2, 1, true, quantity, exit_price, closed_at where not is_open
) as fill;

insert into positions (id, account_id, instrument_id, side, status, quantity, opened_quantity, average_entry_price, average_exit_price,
  current_price, margin_used, realized_pnl, commission, close_reason, opened_at, closed_at, created_at, updated_at)
select id, account_id, instrument_id, side, case when is_open then 'open' else 'closed' end, case when is_open then quantity else 0 end,
  quantity, entry_price, case when not is_open then exit_price end, case when is_open then exit_price else entry_price end,
  case when is_open then round(quantity * entry_price / 20, 8) else 0 end,
  case when is_open then 0 else round((exit_price - entry_price) * case side when 'long' then quantity else -quantity end, 8) end,
  fees.commission,
  case when is_open then null when chance < 0.2 then 'stop_loss' when chance < 0.35 then 'take_profit' else 'client' end,
  opened_at, case when not is_open then closed_at end, opened_at, case when is_open then opened_at else closed_at end
from volume_positions
cross join lateral (
  select case when n % 4 = 0 then round(round(quantity * 0.4, 2) * entry_price * 0.0001, 8)
      + round((quantity - round(quantity * 0.4, 2)) * entry_price * 0.0001, 8)
    else round(quantity * entry_price * 0.0001, 8) end
    + case when is_open then 0 else round(quantity * exit_price * 0.0001, 8) end as commission
) as fees;

insert into orders (id, account_id, instrument_id, user_id, position_id, client_order_id, side, order_type, time_in_force, status, quantity,
  filled_quantity, limit_price, stop_price, average_fill_price, is_reduce_only, source, reject_reason, submitted_at, accepted_at, filled_at,
  cancelled_at, created_at, updated_at)
select md5(format('volume:order:%s:%s', n, order_number))::uuid, account_id, instrument_id, user_id, position, 'v' || n || '-' || order_number,
  order_side, order_type, time_in_force, status, quantity, case when status = 'filled' then quantity else 0 end, limit_price, stop_price,
  case when status = 'filled' then price end, order_number = 2,
  (array['api', 'web', 'mobile', 'fix'])[1 + floor(4 * chance * chance)::integer], case when status = 'rejected' then 'insufficient margin' end,
  submitted_at, case when status <> 'rejected' then submitted_at end, case when status = 'filled' then ended_at end,
  case when status = 'cancelled' then ended_at end, submitted_at, coalesce(ended_at, submitted_at)
from volume_positions
cross join lateral (
  select 1 as order_number, id as position, entry_side as order_side, 'market' as order_type, 'ioc' as time_in_force, 'filled' as status,
    entry_price as price, null::numeric as limit_price, null::numeric as stop_price, opened_at - interval '1 second' as submitted_at,
    opened_at + case when n % 4 = 0 then interval '1 second' else interval '0' end as ended_at
  union all
  select 2, id, exit_side, case when is_open or n % 3 = 0 then 'limit' when n % 3 = 1 then 'stop' else 'market' end,
    case when is_open or n % 3 < 2 then 'gtc' else 'ioc' end, case when is_open then 'new' else 'filled' end, exit_price,
    case when is_open or n % 3 = 0 then exit_price end, case when not is_open and n % 3 = 1 then exit_price end,
    opened_at + interval '30 seconds', case when not is_open then closed_at end
  union all
  select 3, null, entry_side, 'limit', 'gtc', 'cancelled', null, round(entry_price * 0.98, price_decimals), null,
    opened_at - interval '1 hour', opened_at - interval '5 minutes'
  union all
  select 4, null, entry_side, 'limit', 'day', case when is_new and n % 2 = 0 then 'new' when n % 10 < 3 then 'rejected' when n % 10 < 5 then 'cancelled'
      else 'expired' end, null, round(entry_price * 0.97, price_decimals), null,
    opened_at - interval '2 hours', case when not (is_new and n % 2 = 0) and n % 10 > 2 then opened_at + interval '6 hours' end
) as placed
order by submitted_at, n;

insert into order_fills (id, order_id, venue, execution_id, quantity, price, liquidity, commission, commission_currency, executed_at, created_at)
select md5('volume:fill:' || number)::uuid, order_id, case when n % 10 < 7 then 'HOUSE' when n % 10 < 9 then 'PRIME' else 'EXCHANGE' end,
  'v' || number, fill_quantity, price, case when n % 5 = 0 then 'maker' else 'taker' end, commission, 'USD', executed_at, executed_at
from volume_fills
order by executed_at, n;

insert into trades (id, fill_id, order_id, account_id, instrument_id, position_id, side, quantity, price, is_closing, realized_pnl, commission,
  executed_at, settles_on, created_at)
select md5('volume:trade:' || number)::uuid, md5('volume:fill:' || number)::uuid, order_id, account_id, instrument_id, id,
  case when is_closing then exit_side else entry_side end, fill_quantity, price, is_closing,
  case when is_closing then round((exit_price - entry_price) * case side when 'long' then quantity else -quantity end, 8) else 0 end,
  commission, executed_at, (executed_at at time zone 'UTC')::date + 2, executed_at
from volume_fills
order by executed_at, n;

drop view volume_fills;
alter table positions enable trigger user;
alter table orders enable trigger user;
alter table order_fills enable trigger user;
alter table trades enable trigger user;

analyze positions, orders, order_fills, trades;
