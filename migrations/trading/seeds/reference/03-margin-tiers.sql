--! Title: Margin tiers

-- Margin where an instrument has no tiers of its own: the larger the position, the more of it must be covered.
insert into margin_requirements (id, asset_class, account_type, min_notional, max_notional, initial_rate, maintenance_rate, effective_from)
select md5(concat_ws(':', 'margin', asset_class, account_type, min_notional))::uuid,
  asset_class, account_type, min_notional, max_notional, initial_rate, round(initial_rate * maintenance_share, 6), '2025-01-01 00:00:00+00'
from (values
  ('forex', 0, 1000000, 0.033333),
  ('forex', 1000000, 5000000, 0.05),
  ('forex', 5000000, null, 0.1),
  ('index', 0, 500000, 0.05),
  ('index', 500000, null, 0.1),
  ('commodity', 0, 500000, 0.05),
  ('commodity', 500000, null, 0.1),
  ('crypto', 0, 100000, 0.5),
  ('crypto', 100000, null, 0.75),
  ('equity', 0, null, 0.2)
) as tier (asset_class, min_notional, max_notional, initial_rate)
-- Margin accounts are watched by people and may run closer to the edge.
cross join (values ('live', 0.5), ('demo', 0.5), ('margin', 0.4)) as account (account_type, maintenance_share)
on conflict (id) do update
  set max_notional = excluded.max_notional, initial_rate = excluded.initial_rate, maintenance_rate = excluded.maintenance_rate
  where (margin_requirements.max_notional, margin_requirements.initial_rate, margin_requirements.maintenance_rate)
    is distinct from (excluded.max_notional, excluded.initial_rate, excluded.maintenance_rate);
