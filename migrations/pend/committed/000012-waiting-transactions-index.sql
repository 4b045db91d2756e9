--! Previous: sha1:cb5fe0fb246f537f49395b8be37b0ef72e278759
--! Hash: sha1:ba62d8db00ec95dc6ab94ab3fe1554324467e877
--! Message: waiting transactions index

--! no-transaction
-- Money on its way, the oldest first, for the dashboard and the payout job. Built concurrently: transactions has writers by now.
create index concurrently transactions_waiting_idx on transactions (created_at) include (transaction_type, amount)
  where status in ('pending', 'processing');
