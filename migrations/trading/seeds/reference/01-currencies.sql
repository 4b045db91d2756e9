--! Title: Currencies

-- Currencies that instruments and accounts may use.
insert into currencies (code, name, kind, decimals) values
  ('USD', 'US dollar', 'fiat', 2),
  ('EUR', 'Euro', 'fiat', 2),
  ('GBP', 'Pound sterling', 'fiat', 2),
  ('JPY', 'Japanese yen', 'fiat', 0),
  ('CHF', 'Swiss franc', 'fiat', 2),
  ('AUD', 'Australian dollar', 'fiat', 2),
  ('CAD', 'Canadian dollar', 'fiat', 2),
  ('NZD', 'New Zealand dollar', 'fiat', 2),
  ('BTC', 'Bitcoin', 'crypto', 8),
  ('ETH', 'Ether', 'crypto', 8),
  ('SOL', 'Solana', 'crypto', 8),
  ('XRP', 'XRP', 'crypto', 6),
  ('USDT', 'Tether', 'crypto', 6),
  ('XAU', 'Gold, troy ounce', 'metal', 4),
  ('XAG', 'Silver, troy ounce', 'metal', 4)
on conflict (code) do update
  set name = excluded.name, kind = excluded.kind, decimals = excluded.decimals
  where (currencies.name, currencies.kind, currencies.decimals)
    is distinct from (excluded.name, excluded.kind, excluded.decimals);
