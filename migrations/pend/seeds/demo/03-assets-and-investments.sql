--! Title: 40 assets and 700 investments in them

create or replace function pg_temp.draw(seed text) returns numeric
  language sql immutable return ('x' || left(md5(seed), 8))::bit(32)::bigint / 4294967296.0;

-- Finished work, so without its steps.
set local app.maintenance = 'on';

create temporary table demo_asset on commit drop as
select n, ('33000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid as id, case when n % 4 = 0 then 'pool' else 'opportunity' end as kind,
  (array['real_estate', 'renewable_energy', 'agriculture', 'trade_finance', 'private_credit', 'infrastructure', 'commodity'])[1 + n % 7] as asset_class,
  (array['Rented homes', 'Solar park', 'Coffee harvest', 'Export invoices', 'Loans to workshops', 'Toll road', 'Copper store'])[1 + n % 7] as thing,
  (array['Lisbon', 'Nairobi', 'Leipzig', 'Valencia', 'Accra', 'Bristol', 'Gdansk', 'Kumasi', 'Bergen', 'Lyon'])[1 + n % 10] as place,
  (array['PT', 'KE', 'DE', 'ES', 'GH', 'GB', 'PL', 'GH', 'NO', 'FR'])[1 + n % 10] as country_code,
  case when n % 4 = 0 then 'active' when n <= 6 then 'closed' when n <= 10 then 'matured' when n <= 22 then 'active' when n <= 25 then 'funded'
    when n <= 36 then 'open' when n <= 38 then 'draft' else 'cancelled' end as status,
  (array['low', 'medium', 'high'])[1 + n % 3] as risk_rating, round(0.04 + 0.03 * (n % 3) + 0.02 * pg_temp.draw('demo:rate:' || n), 4) as rate,
  (array[10, 25, 50, 100])[1 + n % 4] as unit_price, director.created_at - make_interval(days => 355 - 8 * n) as opens_at, director.created_at as ends_at
from generate_series(1, 40) as n
cross join (select created_at from admin_users where id = '30000000-0000-4000-8000-000000000001') as director;

-- Those who log in have a quarter of the investments, so that there is something to look at.
create temporary table demo_investment on commit drop as
select number as n, ('34000000-0000-4000-8000-' || lpad(number::text, 12, '0'))::uuid as id, investor.id as user_id, demo_asset.id as asset_id, demo_asset.n as asset_number,
  unit_price, rate, tier.fee_rate, placed_at,
  unit_price * greatest(1, floor((100 + 4000 * power(pg_temp.draw('demo:amount:' || number), 3)) * investor.kyc_level / unit_price)) as amount,
  case when number % 31 = 0 then 'cancelled' when demo_asset.status in ('closed', 'matured') and number % 41 = 1 then 'defaulted'
    when demo_asset.status in ('closed', 'matured') then 'redeemed' when placed_at > ends_at - interval '2 days' then 'pending' else 'active' end as status
from generate_series(1, 700) as number
join demo_asset on demo_asset.n = 1 + floor(36 * power(pg_temp.draw('demo:asset:' || number), 1.3))::integer
join lateral (
  select id, kyc_level, tier_code, created_at from users
  where id::text like '31000000-0000-4000-8000-%' and status = 'active' and kyc_level > 0
  order by (number % 8 < 2 and email is not null) desc, md5(number || id::text), id limit 1
) as investor on true
join user_tiers as tier on tier.code = investor.tier_code
cross join lateral (
  select greatest(opens_at, investor.created_at) + (ends_at - greatest(opens_at, investor.created_at)) * pg_temp.draw('demo:placed:' || number)::float as placed_at
) as time;

insert into assets (id, code, name, summary, description, kind, asset_class, country_code, status, risk_rating, expected_return_rate, term_months, unit_price,
  target_amount, minimum_investment, required_kyc_level, opens_at, closes_at, matures_at, chain_id, contract_address, token_symbol, tags, documents, metadata,
  created_by, created_at)
select id, 'DEMO-' || n, format('%s %s', thing, place), format('%s in %s, run by people of the place', thing, place),
  format('%s in %s. Returns are paid monthly in dollars; nothing is certain, and the money may be lost.', thing, place), kind, asset_class, country_code, status,
  risk_rating, rate, case when kind = 'opportunity' then 12 + 12 * (n % 4) end, unit_price,
  -- What is open shows how far it has come; what was funded has all it asked for.
  greatest(1000, case when status in ('open', 'cancelled', 'draft') or kind = 'pool'
    then ceil(coalesce(invested.amount, 50000) * (1.1 + 2 * pg_temp.draw('demo:target:' || n)) / 1000) * 1000 else coalesce(invested.amount, 1000) end),
  unit_price, 1, case when status not in ('draft', 'cancelled') then opens_at end,
  case when kind = 'opportunity' and status not in ('draft', 'cancelled') then case when status = 'open' then ends_at + make_interval(days => n) else ends_at - interval '1 hour' end end,
  case when status in ('matured', 'closed') and kind = 'opportunity' then ends_at end,
  case when status not in ('draft', 'cancelled') then 137 end,
  case when status not in ('draft', 'cancelled') then '0x' || left(encode(sha256(('demo:contract:' || n)::bytea), 'hex'), 40) end,
  case when status not in ('draft', 'cancelled') then 'DEMO' || n end, array[asset_class, lower(place)], '[]', '{"seed": "demo"}',
  '30000000-0000-4000-8000-000000000001', opens_at - interval '12 days'
from demo_asset
left join (select asset_id, sum(amount) as amount from demo_investment where status <> 'cancelled' group by asset_id) as invested on asset_id = id
on conflict (id) do nothing;

insert into investments (id, user_id, asset_id, status, amount, fee, unit_price, units, expected_return_rate, redeemed_amount, source, cancel_reason, placed_at,
  activated_at, matures_at, ended_at, created_at)
select id, user_id, asset_id, status, amount, round(amount * fee_rate, 2), unit_price, amount / unit_price, rate,
  case when status = 'redeemed' then round(amount * (0.98 + 0.06 * pg_temp.draw('demo:redeemed:' || n)), 2) end,
  (array['web', 'mobile', 'api'])[1 + floor(3 * power(pg_temp.draw('demo:source:' || n), 2))::integer],
  case when status = 'cancelled' then 'Payment did not arrive' end, placed_at,
  case when status in ('active', 'redeemed', 'defaulted') then placed_at + interval '8 minutes' end, null,
  case when status in ('redeemed', 'defaulted', 'cancelled') then placed_at + (director.created_at - placed_at) * 0.9 end, placed_at
from demo_investment
cross join (select created_at from admin_users where id = '30000000-0000-4000-8000-000000000001') as director
order by n
on conflict (id) do nothing;
