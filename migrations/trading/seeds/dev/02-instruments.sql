--! Title: Fifteen instruments with trading hours

-- reference_price is what the bars, quotes and orders of the seeds are made around.
insert into instruments (id, symbol, name, asset_class, base_currency, quote_currency, contract_size, tick_size, price_decimals,
  min_quantity, max_quantity, quantity_step, max_leverage, swap_long, swap_short, commission_rate, metadata)
select md5('instrument:' || symbol)::uuid, symbol, name, asset_class, base_currency, quote_currency, contract_size,
  power(10::numeric, -price_decimals), price_decimals, min_quantity, max_quantity, min_quantity, max_leverage, swap_long, swap_short,
  commission_rate, jsonb_build_object('reference_price', reference_price::text, 'seed', 'dev')
from (values
  ('EURUSD', 'Euro against US dollar', 'forex', 'EUR', 'USD', 100000, 5, 0.01, 100, 30, -2.1, 0.6, 0.00003, 1.08500),
  ('GBPUSD', 'Pound sterling against US dollar', 'forex', 'GBP', 'USD', 100000, 5, 0.01, 100, 30, -1.2, -0.4, 0.00003, 1.26400),
  ('USDJPY', 'US dollar against Japanese yen', 'forex', 'USD', 'JPY', 100000, 3, 0.01, 100, 30, 2.6, -4.9, 0.00003, 155.250),
  ('USDCHF', 'US dollar against Swiss franc', 'forex', 'USD', 'CHF', 100000, 5, 0.01, 100, 30, 1.9, -3.8, 0.00003, 0.89600),
  ('AUDUSD', 'Australian dollar against US dollar', 'forex', 'AUD', 'USD', 100000, 5, 0.01, 100, 20, -0.9, -0.6, 0.00003, 0.65200),
  ('USDCAD', 'US dollar against Canadian dollar', 'forex', 'USD', 'CAD', 100000, 5, 0.01, 100, 30, 0.3, -1.8, 0.00003, 1.38900),
  ('BTCUSD', 'Bitcoin against US dollar', 'crypto', 'BTC', 'USD', 1, 2, 0.001, 50, 2, -18, -6, 0.0005, 97250.00),
  ('ETHUSD', 'Ether against US dollar', 'crypto', 'ETH', 'USD', 1, 2, 0.01, 500, 2, -18, -6, 0.0005, 3380.00),
  ('SOLUSD', 'Solana against US dollar', 'crypto', 'SOL', 'USD', 1, 3, 0.1, 5000, 2, -20, -8, 0.0006, 214.500),
  ('XRPUSD', 'XRP against US dollar', 'crypto', 'XRP', 'USD', 1, 5, 1, 500000, 2, -20, -8, 0.0006, 2.28400),
  ('XAUUSD', 'Gold, troy ounce in US dollars', 'commodity', 'XAU', 'USD', 100, 2, 0.01, 50, 20, -5.4, 1.1, 0.00005, 2648.00),
  ('XAGUSD', 'Silver, troy ounce in US dollars', 'commodity', 'XAG', 'USD', 5000, 3, 0.01, 50, 10, -5.6, 0.9, 0.00005, 30.850),
  ('USOIL', 'WTI crude oil, barrel in US dollars', 'commodity', null, 'USD', 1000, 2, 0.01, 100, 10, -3.1, -1.4, 0.00005, 69.80),
  ('SPX500USD', 'S&P 500 index in US dollars', 'index', null, 'USD', 1, 1, 0.1, 500, 20, -6.9, 1.8, 0.00002, 5985.0),
  ('NAS100USD', 'Nasdaq 100 index in US dollars', 'index', null, 'USD', 1, 1, 0.1, 500, 20, -6.9, 1.8, 0.00002, 20780.0)
) as listed (symbol, name, asset_class, base_currency, quote_currency, contract_size, price_decimals, min_quantity, max_quantity,
  max_leverage, swap_long, swap_short, commission_rate, reference_price)
on conflict (symbol) do update
  set name = excluded.name, contract_size = excluded.contract_size, tick_size = excluded.tick_size,
      price_decimals = excluded.price_decimals, min_quantity = excluded.min_quantity, max_quantity = excluded.max_quantity,
      quantity_step = excluded.quantity_step, max_leverage = excluded.max_leverage, commission_rate = excluded.commission_rate,
      metadata = excluded.metadata
  where (instruments.name, instruments.contract_size, instruments.tick_size, instruments.price_decimals, instruments.min_quantity,
         instruments.max_quantity, instruments.quantity_step, instruments.max_leverage, instruments.commission_rate, instruments.metadata)
    is distinct from (excluded.name, excluded.contract_size, excluded.tick_size, excluded.price_decimals, excluded.min_quantity,
         excluded.max_quantity, excluded.quantity_step, excluded.max_leverage, excluded.commission_rate, excluded.metadata);

-- Crypto never closes; the rest trades from Sunday evening to Friday evening, commodities and indices with an hour's break a day.
insert into instrument_sessions (id, instrument_id, weekday, opens_at, closes_at)
select md5(concat_ws(':', 'session', symbol, weekday, opens_at))::uuid, instruments.id, weekday, opens_at, closes_at
from instruments
join (values
  ('crypto', '{1,2,3,4,5,6,7}'::integer[], '00:00'::time, '24:00'::time),
  ('forex', '{7}', '22:00', '24:00'),
  ('forex', '{1,2,3,4}', '00:00', '24:00'),
  ('forex', '{5}', '00:00', '22:00'),
  ('commodity', '{7,1,2,3,4}', '23:00', '24:00'),
  ('commodity', '{1,2,3,4,5}', '00:00', '22:00'),
  ('index', '{7,1,2,3,4}', '23:00', '24:00'),
  ('index', '{1,2,3,4,5}', '00:00', '22:00')
) as hours (asset_class, weekdays, opens_at, closes_at) using (asset_class)
cross join unnest(weekdays) as weekday
where instruments.metadata ->> 'seed' = 'dev'
on conflict (id) do nothing;
