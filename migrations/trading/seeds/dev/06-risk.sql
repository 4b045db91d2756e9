--! Title: Five risk limits and three circuit breakers

insert into risk_limits (id, name, description, limit_type, scope, asset_class, account_id, unit, currency, threshold, warning_ratio, action, created_by)
values
  ('51000000-0000-4000-8000-000000000001', 'Daily loss', 'No account loses more than this in a day', 'daily_loss', 'global',
    null, null, 'currency', 'USD', 10000, 0.8, 'close_only', '20000000-0000-4000-8000-000000000001'),
  ('51000000-0000-4000-8000-000000000002', 'Leverage', 'Exposure over equity', 'leverage', 'global',
    null, null, 'ratio', null, 50, 0.9, 'block_orders', '20000000-0000-4000-8000-000000000001'),
  ('51000000-0000-4000-8000-000000000003', 'Position size in crypto', 'One position in crypto', 'position_size', 'asset_class',
    'crypto', null, 'currency', 'USD', 500000, 0.8, 'block_orders', '20000000-0000-4000-8000-000000000001'),
  ('51000000-0000-4000-8000-000000000004', 'Open positions', 'Positions an account may have open at a time', 'open_positions', 'global',
    null, null, 'count', null, 50, 0.9, 'block_orders', '20000000-0000-4000-8000-000000000001'),
  ('51000000-0000-4000-8000-000000000005', 'Order size, practice account', 'One order on DEMO-300001', 'order_notional', 'account',
    null, '30000000-0000-4000-8000-000000000004', 'currency', 'USD', 100000, 0.8, 'alert', '20000000-0000-4000-8000-000000000001')
on conflict (name) do update
  set description = excluded.description, threshold = excluded.threshold, warning_ratio = excluded.warning_ratio, action = excluded.action
  where (risk_limits.description, risk_limits.threshold, risk_limits.warning_ratio, risk_limits.action)
    is distinct from (excluded.description, excluded.threshold, excluded.warning_ratio, excluded.action);

insert into circuit_breakers (id, name, description, breaker_type, scope, asset_class, instrument_id, threshold, window_seconds, cooldown_seconds, action)
values
  ('52000000-0000-4000-8000-000000000001', 'Volatility', 'Crypto that moves by more than 8 % within five minutes', 'volatility', 'asset_class',
    'crypto', null, 0.08, 300, 600, 'close_only'),
  ('52000000-0000-4000-8000-000000000002', 'Loss limit', 'The house loses 250,000 within an hour', 'loss_limit', 'global',
    null, null, 250000, 3600, 1800, 'halt'),
  ('52000000-0000-4000-8000-000000000003', 'Price movement', 'S&P 500 moves by more than 5 % within a quarter of an hour', 'price_movement', 'instrument',
    null, md5('instrument:SPX500USD')::uuid, 0.05, 900, 900, 'halt')
on conflict (name) do update
  set description = excluded.description, threshold = excluded.threshold, window_seconds = excluded.window_seconds,
      cooldown_seconds = excluded.cooldown_seconds, action = excluded.action
  where (circuit_breakers.description, circuit_breakers.threshold, circuit_breakers.window_seconds, circuit_breakers.cooldown_seconds,
         circuit_breakers.action)
    is distinct from (excluded.description, excluded.threshold, excluded.window_seconds, excluded.cooldown_seconds, excluded.action);
