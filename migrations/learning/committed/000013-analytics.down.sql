drop statistics assessment_attempts_result_stats, attempt_answers_question_stats;

-- -1 is PostgreSQL's own default target.
alter table sessions alter column user_id set statistics -1;
alter table attempt_answers alter column question_id set statistics -1;
alter table attempt_answers alter column assessment_id set statistics -1;
alter table assessment_attempts alter column user_id set statistics -1;
alter table assessment_attempts alter column assessment_id set statistics -1;

drop function refresh_analytics();
drop materialized view question_statistics;
drop materialized view assessment_statistics;
drop view course_overview;
drop function learner_dashboard(uuid, timestamptz);
drop function learner_activity(uuid, date, date);
drop function learner_streak(uuid, timestamptz);
