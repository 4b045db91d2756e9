--! Title: Four liquidity providers with what they offer

insert into liquidity_providers (id, code, name, provider_type, connection_type, endpoint, credentials_name, status, priority, asset_classes,
  settlement_currency, max_order_notional, daily_notional_limit, commission_rate, max_latency_ms)
values
  ('40000000-0000-4000-8000-000000000001', 'BINANCE', 'Binance', 'exchange', 'websocket', 'wss://binance.example.com/ws', 'lp/binance',
    'active', 10, '{crypto}', 'USDT', 2000000, 50000000, 0.0004, 250),
  ('40000000-0000-4000-8000-000000000002', 'OANDA', 'OANDA', 'broker', 'rest', 'https://oanda.example.com/v3', 'lp/oanda',
    'active', 20, '{forex,commodity}', 'USD', 5000000, 100000000, 0, 400),
  ('40000000-0000-4000-8000-000000000003', 'PRIME', 'Prime Broker', 'prime_broker', 'fix', 'fix://prime.example.com:9880', 'lp/prime',
    'active', 30, '{forex,commodity,index}', 'USD', 25000000, 500000000, 0.00001, 150),
  ('40000000-0000-4000-8000-000000000004', 'AGG', 'Aggregator', 'aggregator', 'fix', 'fix://aggregator.example.com:9890', 'lp/aggregator',
    'degraded', 40, '{forex,crypto,commodity,index}', 'USD', 10000000, 200000000, 0.00002, 300)
on conflict (code) do update
  set name = excluded.name, priority = excluded.priority, asset_classes = excluded.asset_classes,
      max_order_notional = excluded.max_order_notional, daily_notional_limit = excluded.daily_notional_limit
  where (liquidity_providers.name, liquidity_providers.priority, liquidity_providers.asset_classes,
         liquidity_providers.max_order_notional, liquidity_providers.daily_notional_limit)
    is distinct from (excluded.name, excluded.priority, excluded.asset_classes, excluded.max_order_notional, excluded.daily_notional_limit);

-- A provider offers the seeds' instruments of its asset classes, OANDA and Prime Broker with names of their own.
insert into lp_instruments (id, liquidity_provider_id, instrument_id, lp_symbol, min_quantity, max_quantity, quantity_step, typical_spread, margin_rate)
select md5(concat_ws(':', 'lp_instrument', code, symbol))::uuid, liquidity_providers.id, instruments.id,
  case code
    when 'BINANCE' then symbol || 'T'
    when 'OANDA' then regexp_replace(symbol, '(USD|JPY|CHF|CAD)$', '_\1')
    else symbol end,
  instruments.min_quantity, instruments.max_quantity, quantity_step,
  round((instruments.metadata ->> 'reference_price')::numeric * 0.00004 * (priority / 10), price_decimals) + tick_size,
  round(1.0 / max_leverage, 6)
from liquidity_providers
join instruments on instruments.asset_class = any (asset_classes)
where liquidity_providers.id::text like '40000000-0000-4000-8000-%' and instruments.metadata ->> 'seed' = 'dev'
on conflict (liquidity_provider_id, instrument_id) do nothing;

insert into lp_exposure (id, liquidity_provider_id, instrument_id, long_quantity, short_quantity, net_notional, notional_limit, margin_used)
select md5(concat_ws(':', 'lp_exposure', code, symbol))::uuid, liquidity_providers.id, instruments.id, long_quantity, short_quantity,
  round((long_quantity - short_quantity) * contract_size * (instruments.metadata ->> 'reference_price')::numeric, 2), notional_limit,
  round(abs(long_quantity - short_quantity) * contract_size * (instruments.metadata ->> 'reference_price')::numeric / max_leverage, 2)
from (values
  ('BINANCE', 'BTCUSD', 14.5, 2.25, 2000000), ('BINANCE', 'ETHUSD', 210, 60, 1000000),
  ('OANDA', 'EURUSD', 12, 30.5, 5000000), ('PRIME', 'XAUUSD', 8, 1, 3000000), ('PRIME', 'SPX500USD', 0, 45, 500000)
) as held (code, symbol, long_quantity, short_quantity, notional_limit)
join liquidity_providers using (code)
join instruments using (symbol)
on conflict (liquidity_provider_id, instrument_id) do nothing;
