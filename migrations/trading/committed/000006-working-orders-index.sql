--! Previous: sha1:5b326d96fe465eda970a5efd642c2fb6f7120442
--! Hash: sha1:b6c9347642fc6a64f4d3eb6d3bcbe3c89f60cb6a
--! Message: working orders index

--! no-transaction
-- The book of an instrument's working limit orders, best price first. Built concurrently: orders has writers by now.
create index concurrently orders_working_limit_idx on orders (instrument_id, side, limit_price, submitted_at)
  where status in ('new', 'partially_filled') and limit_price is not null;
