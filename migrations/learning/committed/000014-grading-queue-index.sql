--! Previous: sha1:d4a37776662aa3b9641a363a114b5ec326f1d220
--! Hash: sha1:cf8a9019d7265eb3101c986a0c56ddb9287f9751
--! Message: grading queue index

--! no-transaction
-- Answers that wait for a person's grade, the oldest first. Built concurrently: attempt_answers has writers by now.
create index concurrently attempt_answers_ungraded_idx on attempt_answers (answered_at, assessment_id)
  where points_awarded is null and max_points > 0 and text_answer is not null;
