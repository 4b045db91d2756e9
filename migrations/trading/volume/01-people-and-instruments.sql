-- Volume for benchmarks, scaled by the setting pgroundwork.volume_rows. The main table is orders: that many, rounded up to a multiple of
-- four. For each order there are about 0.56 fills, as many trades, 0.83 ledger rows, 0.5 price bars, 0.5 rows of activity, 0.25 positions
-- and 0.02 users with 1.2 accounts each; 0.005 instruments, but 500 at least. A few accounts and instruments make most of the traffic, as
-- in life: of 5,000 instruments the busiest has a seventeenth.
--
-- Runs as the migrator on a database with migrations and reference seeds, each file in one transaction. The same on every machine and
-- day: the year is 2025, and chance is taken from md5. Nobody can log in.
--
-- The tables' own triggers are off within the transaction: they would write each row a second time, into the audit, and move orders and
-- balances row by row. Rows are inserted as the triggers would have left them; the last file checks that the books add up.

create or replace function pg_temp.draw(digest text, nth integer) returns double precision
  language sql immutable
  return ('x' || substr(digest, nth * 8 - 7, 8))::bit(32)::bigint::double precision / 4294967296;
comment on function pg_temp.draw(text, integer) is 'A number from 0 to below 1, one of the four (1 to 4) in an md5 digest.';

alter table users disable trigger user;
alter table accounts disable trigger user;
alter table instruments disable trigger user;
alter table user_roles disable trigger user;

insert into users (id, email, username, password_hash, full_name, country_code, status, kyc_status, email_verified_at,
  failed_login_attempts, locked_until, last_login_at, password_changed_at, created_at, updated_at)
select md5('volume:user:' || n)::uuid, format('%s.%s.%s@example.com', given, family, n), format('%s.%s.%s', given, family, n),
  '$2b$10$' || repeat('.', 53), initcap(given || ' ' || family),
  (array['DE', 'GB', 'US', 'FR', 'JP', 'CH', 'AU', 'CA', 'NL', 'SG'])[1 + floor(10 * pg_temp.draw(digest, 1) * pg_temp.draw(digest, 1))::integer],
  case when status_draw < 0.9 then 'active' when status_draw < 0.95 then 'pending' when status_draw < 0.98 then 'suspended' else 'closed' end,
  case when status_draw < 0.9 then 'approved' when status_draw < 0.94 then 'pending' when status_draw < 0.96 then 'not_started' else 'expired' end,
  joined_at + interval '10 minutes', case when status_draw < 0.005 then 5 else 0 end,
  case when status_draw < 0.005 then timestamptz '2026-01-01 00:00:00+00' end,
  timestamptz '2025-12-31 00:00:00+00' - interval '90 days' * pg_temp.draw(digest, 3), joined_at, joined_at, joined_at
from generate_series(1, greatest(10, current_setting('pgroundwork.volume_rows')::bigint / 50)) as n
cross join lateral (select md5('volume:user:draw:' || n) as digest) as chance
cross join lateral (
  select pg_temp.draw(digest, 2) as status_draw,
    timestamptz '2024-01-01 00:00:00+00' + interval '360 days' * pg_temp.draw(digest, 4) as joined_at,
    (array['anna', 'ben', 'carla', 'david', 'elena', 'felix', 'grace', 'hugo', 'ines', 'jonas', 'karin', 'liam', 'mara', 'noah', 'olga', 'paul'])
      [1 + floor(16 * pg_temp.draw(md5(digest), 1))::integer] as given,
    (array['bar', 'cor', 'dan', 'fel', 'gar', 'hol', 'kem', 'lan', 'mor', 'nor', 'pet', 'ros', 'sal', 'tor', 'val', 'wes'])
      [1 + floor(16 * pg_temp.draw(md5(digest), 2))::integer]
    || (array['ber', 'den', 'feld', 'ger', 'hof', 'ker', 'ling', 'man', 'ner', 'rich', 'sen', 'son', 'stein', 'ton', 'well', 'wood'])
      [1 + floor(16 * pg_temp.draw(md5(digest), 3))::integer] as family
) as person;

insert into user_roles (user_id, role_id, granted_at)
select users.id, roles.id, users.created_at
from generate_series(1, greatest(10, current_setting('pgroundwork.volume_rows')::bigint / 50)) as n
join users on users.id = md5('volume:user:' || n)::uuid
join roles on roles.name = case when n % 20 = 0 then 'viewer' else 'trader' end;

-- Every fifth user has a second account. Balances come with the ledger.
insert into accounts (id, user_id, account_number, name, account_type, status, currency, leverage, opened_at, created_at, updated_at)
select md5('volume:account:' || n)::uuid, users.id, 'VOL-' || lpad(n::text, 9, '0'), 'Account ' || n,
  case when n % 10 < 6 then 'live' when n % 10 < 8 then 'margin' else 'demo' end,
  case when n % 50 = 0 then 'suspended' else 'active' end, 'USD', case when n % 3 = 0 then 30 else 10 end,
  users.created_at + interval '1 hour', users.created_at + interval '1 hour', users.created_at + interval '1 hour'
from (select greatest(10, current_setting('pgroundwork.volume_rows')::bigint / 50) as users_count) as scale
cross join generate_series(1, users_count * 6 / 5) as n
join users on users.id = md5('volume:user:' || case when n <= users_count then n else 5 * (n - users_count) end)::uuid
order by n;

-- Currencies and metals against the dollar, then shares. The first are traded most.
insert into instruments (id, symbol, name, asset_class, base_currency, quote_currency, tick_size, price_decimals, min_quantity, max_quantity,
  quantity_step, max_leverage, commission_rate, metadata, created_at, updated_at)
select md5('volume:instrument:' || n)::uuid, symbol, name, asset_class, base_currency, 'USD', power(10::numeric, -price_decimals),
  price_decimals, 0.01, 10000000, 0.01, 30, 0.0001, jsonb_build_object('reference_price', reference_price::text),
  timestamptz '2024-01-01 00:00:00+00', timestamptz '2024-01-01 00:00:00+00'
from (
  select n, code || 'USD.X' as symbol, code || ' against US dollar' as name, asset_class, code as base_currency, reference_price,
    case when reference_price < 10 then 5 else 2 end as price_decimals
  from unnest(
    array['EUR', 'BTC', 'GBP', 'XAU', 'ETH', 'AUD', 'SOL', 'CHF', 'CAD', 'NZD', 'XRP', 'XAG', 'JPY', 'USDT'],
    array['forex', 'crypto', 'forex', 'commodity', 'crypto', 'forex', 'crypto', 'forex', 'forex', 'forex', 'crypto', 'commodity', 'forex', 'crypto'],
    array[1.085, 97250, 1.264, 2648, 3380, 0.652, 214.5, 1.116, 0.72, 0.588, 2.284, 30.85, 0.0064, 1.0]
  ) with ordinality as pair (code, asset_class, reference_price, n)
  union all
  select n, upper(left(company, 4)) || n || '.X', initcap(company) || ' ' || (array['Group', 'Industries', 'Energy', 'Labs', 'Foods', 'Bank'])[1 + n % 6],
    'equity', null, round((5 + 495 * power(pg_temp.draw(md5('volume:share:' || n), 1), 2))::numeric, 2), 2
  from generate_series(15, greatest(500, current_setting('pgroundwork.volume_rows')::bigint / 200)) as n
  cross join lateral (select md5('volume:company:' || n) as digest) as chance
  cross join lateral (
    select (array['alp', 'bor', 'cen', 'del', 'eur', 'gal', 'hel', 'kro', 'lum', 'nov'])[1 + floor(10 * pg_temp.draw(digest, 1))::integer]
      || (array['ab', 'ac', 'ad', 'an', 'ar', 'as', 'at', 'eb', 'em', 'en', 'er', 'il', 'im', 'in', 'ol', 'or'])
        [1 + floor(16 * pg_temp.draw(digest, 2))::integer]
      || (array['ara', 'ia', 'ex', 'on', 'is', 'ora', 'ent'])[1 + floor(7 * pg_temp.draw(digest, 3))::integer] as company
  ) as named
) as listed;

-- Hours of the 500 most traded up to the end of 2025. The price of an instrument goes up and down by a tenth in a wave of its own length.
insert into price_bars (instrument_id, timeframe, opened_at, open, high, low, close, volume, tick_count)
select instrument_id, '1h', opened_at, open, greatest(open, close) + tick, greatest(least(open, close) - tick, tick), close,
  round(1000 * pg_temp.draw(digest, 1)::numeric, 2), floor(2000 * pg_temp.draw(digest, 2))::integer
from generate_series(1, 500) as n
join instruments on instruments.id = md5('volume:instrument:' || n)::uuid
cross join generate_series(1, (current_setting('pgroundwork.volume_rows')::bigint + 999) / 1000) as hour
cross join lateral (
  select instruments.id as instrument_id, tick_size as tick, timestamptz '2026-01-01 00:00:00+00' - interval '1 hour' * hour as opened_at,
    (metadata ->> 'reference_price')::numeric as reference_price, md5(n || ':' || hour) as digest
) as bar
cross join lateral (
  select round(reference_price * (1 + abs((hour + 1) % (100 + n) - (100 + n) / 2.0) / (100 + n) / 5), price_decimals) as open,
    round(reference_price * (1 + abs(hour % (100 + n) - (100 + n) / 2.0) / (100 + n) / 5), price_decimals) as close
) as priced
order by opened_at, n;

-- What people did, into partitions of the year's months. Few activities make most of the rows.
select create_month_partition('user_activity_log', timestamptz '2025-01-01 00:00:00+00' + make_interval(months => month))
from generate_series(0, 11) as month;

insert into user_activity_log (id, occurred_at, user_id, session_id, activity, resource_type, resource_id, ip, user_agent, details)
select md5('volume:activity:' || n)::uuid, timestamptz '2025-01-01 00:00:00+00' + interval '365 days' * (n - 1) / rows_count,
  md5('volume:user:' || 1 + floor(users_count * power(pg_temp.draw(digest, 1), 3))::bigint)::uuid, md5(left(digest, 6))::uuid,
  (array['session.login', 'order.view', 'account.view', 'session.logout', 'report.export', 'profile.change', 'api_key.create'])
    [1 + floor(7 * power(pg_temp.draw(digest, 2), 3))::integer],
  null, null, inet '10.0.0.0' + floor(65536 * power(pg_temp.draw(digest, 3), 2))::integer, 'volume', '{}'
from (
  select current_setting('pgroundwork.volume_rows')::bigint / 2 as rows_count,
    greatest(10, current_setting('pgroundwork.volume_rows')::bigint / 50) as users_count
) as scale
cross join generate_series(1, rows_count) as n
cross join lateral (select md5('volume:activity:draw:' || n) as digest) as chance;

alter table users enable trigger user;
alter table accounts enable trigger user;
alter table instruments enable trigger user;
alter table user_roles enable trigger user;

analyze users, user_roles, accounts, instruments, price_bars, user_activity_log;
