--! Title: Nine assets, one in every status

insert into assets (id, legacy_id, code, name, summary, description, kind, asset_class, country_code, status, risk_rating, expected_return_rate, term_months,
  unit_price, target_amount, minimum_investment, maximum_investment, required_kyc_level, required_tier, opens_at, closes_at, matures_at, chain_id,
  contract_address, token_symbol, tags, documents, metadata, created_by, created_at)
select ('23000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'opportunity-' || n, code, name, summary,
  summary || '. Returns are paid monthly in dollars; nothing is certain, and the money may be lost.', kind, asset_class, country_code, status, risk_rating,
  rate, case when kind = 'opportunity' then 24 end, unit_price, target, least_amount, most_amount, kyc_level, tier,
  case when status not in ('draft', 'cancelled') then admin.created_at - make_interval(days => opened) end,
  case when kind = 'opportunity' and status <> 'draft' then admin.created_at - make_interval(days => opened - 90) end,
  case when kind = 'opportunity' and status in ('matured', 'closed') then admin.created_at - make_interval(days => 2) end,
  case when status <> 'draft' then 137 end, case when status <> 'draft' then '0x' || left(encode(sha256(('dev:contract:' || n)::bytea), 'hex'), 40) end,
  case when status <> 'draft' then replace(code, '-', '') end, tags::text[],
  case when status <> 'draft' then format('[{"title": "Prospectus", "url": "https://example.com/%s.pdf"}]', lower(code))::jsonb else '[]' end,
  '{"seed": "dev"}', admin.id, admin.created_at - make_interval(days => opened + 10)
from (values
  (1, 'SOLAR-SET', 'Solar park Setubal', 'A solar park of 40 MW near Lisbon', 'opportunity', 'renewable_energy', 'PT', 'open', 'medium', 0.085, 10, 500000, 100,
    25000, 1, null, 30, '{solar,europe}'),
  (2, 'HOMES-LEE', 'Rented homes in Leeds', 'Twelve homes let to families', 'opportunity', 'real_estate', 'GB', 'open', 'low', 0.062, 50, 1200000, 500, 100000, 2,
    'plus', 20, '{homes,rent}'),
  (3, 'COCOA-POOL', 'Cocoa harvest pool', 'Harvest loans to cocoa growers', 'pool', 'agriculture', 'GH', 'active', 'high', 0.121, 1, 250000, 50, null, 1, null, 150,
    '{cocoa,harvest}'),
  (4, 'INVOICE-POOL', 'Invoice pool', 'Invoices of exporters, paid within ninety days', 'pool', 'trade_finance', 'NG', 'open', 'medium', 0.098, 1, 800000, 100, null, 2,
    null, 60, '{invoices}'),
  (5, 'WIND-NOR', 'Wind park Nordfjord', 'Four turbines on a ridge', 'opportunity', 'renewable_energy', 'NO', 'funded', 'medium', 0.074, 10, 15000, 100, 10000, 1, null,
    100, '{wind,europe}'),
  (6, 'OFFICE-HAM', 'Offices in Hamburg', 'A house of offices by the harbour', 'opportunity', 'real_estate', 'DE', 'matured', 'low', 0.055, 100, 30000, 1000, null, 2,
    null, 140, '{offices,rent}'),
  (7, 'BRIDGE-OPO', 'Foot bridge Porto', 'A toll bridge for walkers', 'opportunity', 'infrastructure', 'PT', 'closed', 'medium', 0.068, 10, 20000, 100, null, 1, null, 150,
    '{toll}'),
  (8, 'GOLD-ZUR', 'Gold in Zurich', 'Bars in a vault', 'pool', 'commodity', 'CH', 'draft', 'low', 0.0, 75, 1000000, 75, null, 1, null, 0, '{gold}'),
  (9, 'LOANS-COR', 'Loans to workshops', 'Loans to workshops in Cork', 'opportunity', 'private_credit', 'IE', 'cancelled', 'high', 0.13, 10, 100000, 100, null, 1,
    null, 120, '{loans}')
) as offer (n, code, name, summary, kind, asset_class, country_code, status, risk_rating, rate, unit_price, target, least_amount, most_amount, kyc_level, tier, opened, tags)
cross join (select id, created_at from admin_users where id = '20000000-0000-4000-8000-000000000001') as admin
on conflict (id) do nothing;
