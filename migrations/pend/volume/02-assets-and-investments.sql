-- Assets, what was invested in them, and the agreements. See the first file.

create or replace function pg_temp.draw(digest text, nth integer) returns double precision
  language sql immutable
  return ('x' || substr(digest, nth * 8 - 7, 8))::bit(32)::bigint::double precision / 4294967296;

alter table assets disable trigger user;
alter table investments disable trigger user;
alter table investment_agreements disable trigger user;

-- Of twenty assets nine are active, three open, one funded, three matured and four closed; the last in a dozen are drafts.
create temporary table volume_assets on commit drop as
select n, md5('volume:asset:' || n)::uuid as id, digest, case when n % 5 = 0 then 'pool' else 'opportunity' end as kind,
  case when n > assets_count * 0.92 then 'draft' when n % 20 < 9 then 'active' when n % 20 < 12 then 'open' when n % 20 = 12 then 'funded'
    when n % 20 < 16 then 'matured' else 'closed' end as status,
  1 + floor(7 * power(pg_temp.draw(digest, 1), 1.5))::integer as class, (array[1, 5, 10, 25, 50, 100])[1 + n % 6] as unit_price,
  round((0.03 + 0.12 * pg_temp.draw(digest, 2))::numeric, 4) as rate
from (select greatest(20, current_setting('pgroundwork.volume_rows')::bigint / 100) as assets_count) as scale
cross join generate_series(1, assets_count) as n
cross join lateral (select md5('volume:asset:draw:' || n) as digest) as chance;

-- Investment n is paid by transaction 5 * n, a minute later. Older ones went into all assets, newer ones into those that still run; the newest
-- hundredth is not paid yet.
create temporary table volume_investments on commit drop as
select drawn.n, md5('volume:investment:' || drawn.n)::uuid as id, md5('volume:user:' || user_number)::uuid as user_id, volume_assets.id as asset_id, placed_at,
  volume_assets.unit_price, volume_assets.rate, volume_assets.unit_price * ceil((10 + 5000 * power(pg_temp.draw(drawn.digest, 3), 4)) / volume_assets.unit_price)::numeric as amount,
  case when drawn.n > investments_count * 0.99 then 'pending' when is_old and status_draw < 0.04 then 'cancelled'
    when is_old and volume_assets.status in ('matured', 'closed') then case when status_draw < 0.08 then 'defaulted' else 'redeemed' end else 'active' end as status
from (
  select n, digest, investments_count, is_old, pg_temp.draw(digest, 4) as status_draw, case when user_number % 20 < 3 then greatest(3, user_number - 3) else user_number end as user_number,
    case when is_old or asset_number % 20 < 12 then asset_number else greatest(1, asset_number - 12) end as asset_number,
    timestamptz '2024-01-01 00:00:00+00' + interval '731 days' * (5 * n - 1) / rows_count - interval '1 minute' as placed_at
  from (
    select rows_count, rows_count / 5 as investments_count, greatest(20, rows_count / 20) as users_count, greatest(20, rows_count / 100) as assets_count
    from (select current_setting('pgroundwork.volume_rows')::bigint as rows_count) as asked
  ) as scale
  cross join generate_series(1, investments_count) as n
  cross join lateral (select md5('volume:investment:draw:' || n) as digest, n <= investments_count / 2 as is_old) as chance
  cross join lateral (
    -- Of the users those who had joined by then.
    select 1 + floor(users_count * (365 + 725.0 * n / investments_count) / 1101 * power(pg_temp.draw(digest, 1), 2))::bigint as user_number,
      1 + floor(floor(assets_count * 0.92) * power(pg_temp.draw(digest, 2), 2.5))::bigint as asset_number
  ) as numbers
) as drawn
join volume_assets on volume_assets.n = asset_number
order by drawn.n;
analyze volume_investments;

insert into assets (id, legacy_id, code, name, summary, description, kind, asset_class, country_code, status, risk_rating, expected_return_rate, term_months,
  unit_price, target_amount, raised_amount, minimum_investment, required_kyc_level, opens_at, closes_at, matures_at, chain_id, contract_address, token_symbol,
  tags, created_by, created_at, updated_at)
select volume_assets.id, case when n % 2 = 0 then 'volume-' || n end, 'VOL-' || n, initcap(format('%s %s %s', thing, place, n)),
  format('A %s near %s for the %s', thing, initcap(place), purpose),
  format('The %s near %s for %s. Income comes from %s and %s; partners are %s %s and the town of %s.', thing, initcap(place), purpose, purpose,
    partner, initcap(partner), n % 97, initcap(place)),
  kind, (array['real_estate', 'renewable_energy', 'agriculture', 'trade_finance', 'private_credit', 'infrastructure', 'commodity'])[class],
  (array['PT', 'DE', 'NG', 'GB', 'KE', 'GH', 'ES', 'FR'])[1 + n % 8], status, (array['low', 'medium', 'high'])[1 + n % 3], rate,
  case kind when 'opportunity' then 12 + 12 * (n % 5) end, unit_price,
  case when status in ('funded', 'matured', 'closed') and raised > 0 then raised else greatest(10000, ceil(raised * (1.05 + 2 * pg_temp.draw(digest, 4)) / 1000) * 1000) end,
  raised, unit_price, 1 + n % 2, case when status <> 'draft' then opens_at end,
  case when kind = 'opportunity' and status not in ('draft', 'active') then case status when 'open'
    then timestamptz '2026-06-01 00:00:00+00' + interval '1 day' * (n % 90) else timestamptz '2025-12-31 00:00:00+00' end end,
  case when kind = 'opportunity' and status = 'active' then timestamptz '2026-06-01 00:00:00+00' + interval '1 day' * (n % 900) end,
  case when status <> 'draft' then 137 end, case when status <> 'draft' then '0x' || md5('volume:contract:' || n) || left(md5('volume:contract:more:' || n), 8) end,
  case when status <> 'draft' then 'V' || n end, array[place, partner], md5('volume:admin:1')::uuid, opens_at - interval '20 days', opens_at - interval '20 days'
from volume_assets
cross join lateral (
  select (array['block of flats', 'solar park', 'coffee farm', 'invoice book', 'loan book', 'toll road', 'grain store'])[class] as thing,
    (array['bor', 'cen', 'del', 'eur', 'gal', 'hel', 'kro', 'lum', 'nov', 'pal'])[1 + floor(10 * pg_temp.draw(md5(digest), 1))::integer]
      || (array['ab', 'ad', 'an', 'ar', 'eb', 'em', 'en', 'er', 'il', 'in', 'ol', 'or'])[1 + floor(12 * pg_temp.draw(md5(digest), 2))::integer]
      || (array['burg', 'dorf', 'ham', 'stad', 'ton', 'ville', 'wick', 'field'])[1 + floor(8 * pg_temp.draw(md5(digest), 3))::integer] as place,
    (array['families', 'students', 'exporters', 'farmers', 'travellers', 'workshops', 'hospitals', 'schools'])[1 + floor(8 * power(pg_temp.draw(md5(digest), 4), 2))::integer] as purpose,
    (array['banks', 'growers', 'builders', 'insurers', 'traders', 'carriers'])[1 + floor(6 * pg_temp.draw(md5(md5(digest)), 1))::integer] as partner,
    timestamptz '2023-06-01 00:00:00+00' + interval '200 days' * pg_temp.draw(digest, 3) as opens_at
) as told
left join (select asset_id, sum(amount) as invested from volume_investments where status <> 'cancelled' group by asset_id) as sums on asset_id = volume_assets.id
cross join lateral (select coalesce(invested, 0) as raised) as filled
order by n;

insert into investments (id, user_id, asset_id, status, amount, fee, unit_price, units, expected_return_rate, redeemed_amount, source, cancel_reason, placed_at,
  activated_at, ended_at, created_at, updated_at)
select id, user_id, asset_id, status, amount, round(amount * 0.01, 2), unit_price, amount / unit_price, rate, case when status = 'redeemed' then round(amount * 1.02, 2) end,
  (array['mobile', 'web', 'api'])[1 + floor(3 * power(n % 100 / 100.0, 2))::integer], case when status = 'cancelled' then 'Payment did not arrive' end, placed_at,
  case when status in ('active', 'redeemed', 'defaulted') then placed_at + interval '10 minutes' end,
  case when status in ('redeemed', 'defaulted', 'cancelled') then timestamptz '2025-12-31 00:00:00+00' end, placed_at, placed_at + interval '10 minutes'
from volume_investments
order by n;

insert into investment_agreements (id, user_id, investment_id, agreement_type, version, document_sha256, ip, decided_at)
select md5('volume:agreement:terms:' || id)::uuid as agreement_id, id, null::uuid, 'terms_of_service', '2023-01', md5('terms') || md5('of service'),
  inet '10.0.0.0' + 7, created_at as decided_at
from users where blockchain_address is not null and id in (select user_id from volume_investments)
union all
select md5('volume:agreement:' || n)::uuid, user_id, id, 'subscription', '2024-01', md5(asset_id::text) || md5('prospectus'), inet '10.0.0.0' + n % 65536, placed_at
from volume_investments where status <> 'cancelled'
order by decided_at, agreement_id;

alter table assets enable trigger user;
alter table investments enable trigger user;
alter table investment_agreements enable trigger user;

analyze assets, investments, investment_agreements;
