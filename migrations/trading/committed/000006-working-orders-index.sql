--! Previous: sha1:27ff947a7e0bb1312bdc7c62f0460c6bdeb59bfa
--! Hash: sha1:848d5d43ee29bd70953572e5630df2dc8e2c63ba
--! Message: working orders index

--! no-transaction
-- The book of an instrument's working limit orders, best price first. Built concurrently: orders has writers by now.
create index concurrently orders_working_limit_idx on orders (instrument_id, side, limit_price, submitted_at)
  where status in ('new', 'partially_filled') and limit_price is not null;
