--! Title: Ninety days of daily and four-hourly bars

-- Two sines and noise from md5, zero at the anchor day: the history runs into the dev set's reference prices.
with anchor as (
  select date_trunc('day', created_at at time zone 'UTC') at time zone 'UTC' as day
  from users where id = '20000000-0000-4000-8000-000000000001'
), series as (
  select timeframe, width, step from (values ('1d', interval '1 day', 90), ('4h', interval '4 hours', 540)) as frame (timeframe, width, steps)
  cross join lateral generate_series(-steps - 1, -1) as step
), walk as (
  select instruments.id, price_decimals, timeframe, step, day + step * width as opened_at,
    round((metadata ->> 'reference_price')::numeric * (
      1 + 0.05 * sin(extract(epoch from step * width)::double precision / 86400 / 11)::numeric
        + 0.02 * sin(extract(epoch from step * width)::double precision / 86400 / 3 * (1 + length(name) / 40.0))::numeric
        + 0.004 * (('x' || left(md5(symbol || timeframe || step), 8))::bit(32)::bigint / 4294967296.0 - 0.5)), price_decimals) as price,
    ('x' || left(md5('wick' || symbol || timeframe || step), 8))::bit(32)::bigint / 4294967296.0 as noise
  from anchor, series, instruments
  where metadata ->> 'seed' = 'dev'
), bar as (
  select *, lag(price) over (partition by id, timeframe order by step) as open from walk
)
insert into price_bars (instrument_id, timeframe, opened_at, open, high, low, close, volume, tick_count)
select id, timeframe, opened_at, open, round(greatest(open, price) * (1 + 0.004 * noise), price_decimals),
  round(least(open, price) * (1 - 0.004 * (1 - noise)), price_decimals), price, round(1000 + 9000 * noise, 2), 5000 + (40000 * noise)::integer
from bar where open is not null
on conflict do nothing;
