--! Previous: sha1:d677d54c721ee6419af22027622f8db28aa398a6
--! Hash: sha1:f3f31b1ee2c626f56ddc9200c40455dca4c005e1
--! Message: working orders index

--! no-transaction
-- The book of an instrument's working limit orders, best price first. Built concurrently: orders has writers by now.
create index concurrently orders_working_limit_idx on orders (instrument_id, side, limit_price, submitted_at)
  where status in ('new', 'partially_filled') and limit_price is not null;
