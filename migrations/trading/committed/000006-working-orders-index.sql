--! Previous: sha1:df0df88d7340c97a9f18d22a419f4d0c07bd556a
--! Hash: sha1:d2a874c9b411b0339b25ca283aa97696cafa7c5a
--! Message: working orders index

--! no-transaction
-- The book of an instrument's working limit orders, best price first. Built concurrently: orders has writers by now.
create index concurrently orders_working_limit_idx on orders (instrument_id, side, limit_price, submitted_at)
  where status in ('new', 'partially_filled') and limit_price is not null;
