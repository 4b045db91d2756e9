--! Previous: sha1:f3ca171ad3a44f10520012280a40c53366accbdf
--! Hash: sha1:4d23ef770f9bd33cc1afd170d260c7c6eb9da165
--! Message: working orders index

--! no-transaction
-- The book of an instrument's working limit orders, best price first. Built concurrently: orders has writers by now.
create index concurrently orders_working_limit_idx on orders (instrument_id, side, limit_price, submitted_at)
  where status in ('new', 'partially_filled') and limit_price is not null;
