--! no-transaction
drop index concurrently orders_working_limit_idx;
