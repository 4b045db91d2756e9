--! Title: Four smart order routing rules

insert into sor_rules (id, name, description, priority, asset_class, flow_class, min_notional, max_notional, action, a_book_share,
  liquidity_provider_id, created_by)
values
  ('41000000-0000-4000-8000-000000000001', 'Toxic flow to A-Book', 'Clients the market follows are passed on at the best price', 10,
    null, 'toxic', 0, null, 'a_book', null, null, '20000000-0000-4000-8000-000000000001'),
  ('41000000-0000-4000-8000-000000000002', 'Crypto to A-Book', 'The house carries no crypto risk', 20,
    'crypto', null, 0, null, 'a_book', null, '40000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001'),
  ('41000000-0000-4000-8000-000000000003', 'Large forex split', 'Above a quarter of a million the house keeps two fifths', 30,
    'forex', null, 250000, null, 'split', 0.6, '40000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000001'),
  ('41000000-0000-4000-8000-000000000004', 'Forex to B-Book', 'Small forex orders are filled by the house', 40,
    'forex', null, 0, 250000, 'b_book', null, null, '20000000-0000-4000-8000-000000000001')
on conflict (name) do update
  set description = excluded.description, priority = excluded.priority, action = excluded.action, a_book_share = excluded.a_book_share,
      min_notional = excluded.min_notional, max_notional = excluded.max_notional
  where (sor_rules.description, sor_rules.priority, sor_rules.action, sor_rules.a_book_share, sor_rules.min_notional, sor_rules.max_notional)
    is distinct from (excluded.description, excluded.priority, excluded.action, excluded.a_book_share, excluded.min_notional, excluded.max_notional);
