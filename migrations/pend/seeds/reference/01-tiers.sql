--! Title: Five tiers

-- Amounts and rates that an operator has changed stay; names and ranks are the program's.
insert into user_tiers (code, name, description, rank, required_kyc_level, max_investment, max_total_invested, fee_rate, early_access_hours, benefits)
values
  ('basic', 'Basic', 'A look around, and a first small investment', 1, 0, 100, 250, 0.02, 0, '{"support": "community"}'),
  ('verified', 'Verified', 'Name and birth are known', 2, 1, 2500, 10000, 0.015, 0, '{"support": "email"}'),
  ('plus', 'Plus', 'Identity paper is checked', 3, 2, 25000, 100000, 0.01, 12, '{"support": "email", "reports": true}'),
  ('premium', 'Premium', 'Identity, residence and source of funds are checked', 4, 3, 250000, 1000000, 0.0075, 48,
    '{"support": "phone", "reports": true, "secondary_market": true}'),
  ('institutional', 'Institutional', 'By contract', 5, 3, null, null, 0.005, 72,
    '{"support": "account_manager", "reports": true, "secondary_market": true, "api": true}')
on conflict (code) do update
  set name = excluded.name, description = excluded.description, rank = excluded.rank
  where (user_tiers.name, user_tiers.description, user_tiers.rank) is distinct from (excluded.name, excluded.description, excluded.rank);
