--! no-transaction
drop index concurrently transactions_waiting_idx;
