--! Title: Three days of hourly bars, quotes of each provider, exchange rates

-- Prices swing around the reference price by a sine and some noise taken from md5: the same on every machine, unlike random().
with anchor as (
  select date_trunc('day', created_at at time zone 'UTC') at time zone 'UTC' as day
  from users where id = '20000000-0000-4000-8000-000000000001'
), walk as (
  select instruments.id, price_decimals, tick_size, day + make_interval(hours => hour) as opened_at, hour,
    round((metadata ->> 'reference_price')::numeric * (
      1 + 0.006 * sin(hour / 5.0 + length(name))::numeric
        + 0.002 * (('x' || left(md5(symbol || hour), 8))::bit(32)::bigint / 4294967296.0 - 0.5)), price_decimals) as price,
    ('x' || left(md5('wick' || symbol || hour), 8))::bit(32)::bigint / 4294967296.0 as noise
  from anchor, instruments, generate_series(-73, -1) as hour
  where metadata ->> 'seed' = 'dev'
), bar as (
  select *, lag(price) over (partition by id order by hour) as open from walk
)
insert into price_bars (instrument_id, timeframe, opened_at, open, high, low, close, volume, tick_count)
select id, '1h', opened_at, open, round(greatest(open, price) * (1 + 0.0008 * noise), price_decimals),
  round(least(open, price) * (1 - 0.0008 * (1 - noise)), price_decimals), price, round(50 + 400 * noise, 2), 200 + (1800 * noise)::integer
from bar where open is not null
on conflict do nothing;

with anchor as (
  select date_trunc('day', created_at at time zone 'UTC') at time zone 'UTC' as day
  from users where id = '20000000-0000-4000-8000-000000000001'
), quote as (
  select lp_instruments.liquidity_provider_id, instrument_id, price_decimals, tick_size, typical_spread, minute,
    lp_instruments.id as lp_instrument_id, day - make_interval(mins => minute) as quoted_at,
    round((instruments.metadata ->> 'reference_price')::numeric * (
      1 + 0.0004 * (('x' || left(md5(lp_instruments.id::text || minute), 8))::bit(32)::bigint / 4294967296.0 - 0.5)), price_decimals) as bid,
    ('x' || left(md5(lp_instruments.id::text || minute), 8))::bit(32)::bigint / 4294967296.0 as noise
  from anchor, generate_series(1, 24) as minute, lp_instruments
  join instruments on instruments.id = instrument_id
  where instruments.metadata ->> 'seed' = 'dev'
)
insert into lp_quotes (id, quoted_at, received_at, liquidity_provider_id, instrument_id, bid, ask, bid_quantity, ask_quantity)
select md5(concat_ws(':', 'quote', lp_instrument_id, minute))::uuid, quoted_at, quoted_at + make_interval(secs => 0.005 + 0.2 * noise),
  liquidity_provider_id, instrument_id, bid, bid + typical_spread, round(1 + 20 * noise, 2), round(1 + 20 * (1 - noise), 2)
from quote
on conflict do nothing;

insert into exchange_rates (base_currency, quote_currency, as_of, rate, source)
select base, quote, date_trunc('day', users.created_at at time zone 'UTC') at time zone 'UTC', rate, 'seed'
from users
cross join (values
  ('EUR', 'USD', 1.085), ('GBP', 'USD', 1.264), ('USD', 'JPY', 155.25), ('USD', 'CHF', 0.896), ('AUD', 'USD', 0.652), ('USD', 'CAD', 1.389),
  ('NZD', 'USD', 0.588), ('USDT', 'USD', 1.0003), ('BTC', 'USD', 97250), ('ETH', 'USD', 3380), ('XAU', 'USD', 2648)
) as rate (base, quote, rate)
where users.id = '20000000-0000-4000-8000-000000000001'
on conflict do nothing;
