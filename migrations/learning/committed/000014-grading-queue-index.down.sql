--! no-transaction
drop index concurrently attempt_answers_ungraded_idx;
