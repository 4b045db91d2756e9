--! Previous: sha1:35ddc7407df5372fd24135978e337b8002ffc956
--! Hash: sha1:d4a37776662aa3b9641a363a114b5ec326f1d220
--! Message: analytics

-- Two kinds: what one learner or one course asks for is read live through the indexes; what reads every answer is materialized, and
-- refreshed by refresh_analytics(), say every ten minutes.

create function learner_streak(learner uuid, as_of timestamptz default now()) returns integer
  language sql stable parallel safe set search_path = pg_catalog, public, pg_temp
as $$
  with days as (
    select distinct (sessions.started_at at time zone users.time_zone)::date as day, (as_of at time zone users.time_zone)::date as today
    from users
    join sessions on sessions.user_id = users.id
    where users.id = learner and sessions.active_seconds >= 60 and sessions.started_at <= as_of
      -- Longer streaks are capped: a year is read at most.
      and sessions.started_at > as_of - interval '366 days'
  ), runs as (
    select day, today, day + (row_number() over (order by day desc))::integer as run from days
  )
  -- Yesterday's streak lives on until today is over.
  select coalesce((select count(*)::integer from runs where run = (select max(run) from runs) having max(day) >= max(today) - 1), 0)
$$;
comment on function learner_streak(uuid, timestamptz) is
  'Days in a row on which a learner learned for a minute or more, in the learner''s time zone; 366 at most.';

create function learner_activity(learner uuid, from_day date, to_day date)
  returns table (day date, active_minutes numeric, sessions integer, answers integer, correct_answers integer)
  language sql stable parallel safe set search_path = pg_catalog, public, pg_temp
as $$
  with person as (
    select users.id, users.time_zone, from_day::timestamp at time zone users.time_zone as since,
      (to_day + 1)::timestamp at time zone users.time_zone as before
    from users where users.id = learner
  ), worked as (
    select (sessions.started_at at time zone person.time_zone)::date as day, round(sum(sessions.active_seconds) / 60.0, 1) as minutes, count(*)
    from person
    join sessions on sessions.user_id = person.id and sessions.started_at >= person.since and sessions.started_at < person.before
    group by 1
  ), answered as (
    select (attempt_answers.answered_at at time zone person.time_zone)::date as day, count(*),
      count(*) filter (where attempt_answers.is_correct) as correct
    from person
    join assessment_attempts on assessment_attempts.user_id = person.id
    join attempt_answers on attempt_answers.attempt_id = assessment_attempts.id
      and attempt_answers.answered_at >= person.since and attempt_answers.answered_at < person.before
    group by 1
  )
  select calendar.day, coalesce(worked.minutes, 0), coalesce(worked.count, 0)::integer, coalesce(answered.count, 0)::integer,
    coalesce(answered.correct, 0)::integer
  from (select from_day + n as day from generate_series(0, to_day - from_day) as n) as calendar
  left join worked on worked.day = calendar.day
  left join answered on answered.day = calendar.day
  order by calendar.day
$$;
comment on function learner_activity(uuid, date, date) is 'A learner''s work day by day, both days included, idle days too.';

create function learner_dashboard(learner uuid, as_of timestamptz default now())
  returns table (
    active_courses integer, completed_courses integer, average_progress numeric, minutes_last_7_days numeric, streak_days integer,
    last_session_at timestamptz, graded_attempts integer, passed_attempts integer, average_percentage numeric, topics_practised integer,
    average_mastery numeric, reviews_due integer, achievement_points integer, unread_notifications integer)
  language sql stable parallel safe set search_path = pg_catalog, public, pg_temp
as $$
  select enrolled.active, enrolled.completed, enrolled.progress, worked.minutes, learner_streak(learner, as_of),
    (select max(started_at) from sessions where sessions.user_id = learner and started_at <= as_of),
    tested.graded, tested.passed, tested.percentage, mastered.topics, mastered.mastery, mastered.due, earned.points,
    (select count(*)::integer from notifications where notifications.user_id = learner and sent_at is not null and read_at is null)
  from (
    select count(*) filter (where status = 'active')::integer as active, count(*) filter (where status = 'completed')::integer as completed,
      round(avg(progress_percentage) filter (where status = 'active'), 2) as progress
    from enrolments where enrolments.user_id = learner
  ) as enrolled
  cross join (
    select round(coalesce(sum(active_seconds), 0) / 60.0, 1) as minutes
    from sessions where sessions.user_id = learner and started_at > as_of - interval '7 days' and started_at <= as_of
  ) as worked
  cross join (
    select count(*)::integer as graded, count(*) filter (where assessment_attempts.passed)::integer as passed,
      round(avg(assessment_attempts.percentage), 2) as percentage
    from assessment_attempts where assessment_attempts.user_id = learner and status = 'graded'
  ) as tested
  cross join (
    select count(*)::integer as topics, round(avg(topic_mastery.mastery), 4) as mastery,
      count(*) filter (where next_review_at <= as_of)::integer as due
    from topic_mastery where topic_mastery.user_id = learner
  ) as mastered
  cross join (
    select coalesce(sum(achievements.points), 0)::integer as points
    from user_achievements join achievements on achievements.id = achievement_id where user_achievements.user_id = learner
  ) as earned
$$;
comment on function learner_dashboard(uuid, timestamptz) is 'What a learner sees first, in one row. Reads that learner''s rows alone.';

create view course_overview with (security_invoker = true) as
  select courses.id as course_id, courses.title, courses.level, courses.language, courses.published_at, enrolled.*, published.lessons
  from courses
  cross join lateral (
    select count(*) as enrolments, count(*) filter (where status = 'active') as active, count(*) filter (where status = 'completed') as completed,
      count(*) filter (where status = 'withdrawn') as withdrawn, round(avg(progress_percentage), 2) as average_progress
    from enrolments where enrolments.course_id = courses.id
  ) as enrolled
  cross join lateral (
    select count(*) as lessons from lessons where lessons.course_id = courses.id and lessons.status = 'published'
  ) as published
  where courses.status = 'published' and courses.deleted_at is null;
comment on view course_overview is 'Published courses with their enrolments, live: the instructors'' dashboard.';

create materialized view assessment_statistics as
  select assessment_id, count(*) as attempts, count(distinct user_id) as learners, count(*) filter (where status = 'graded') as graded,
    count(*) filter (where passed) as passed, count(*) filter (where status = 'abandoned') as abandoned,
    round(count(*) filter (where passed)::numeric / nullif(count(*) filter (where passed is not null), 0), 4) as pass_rate,
    round(avg(percentage), 2) as average_percentage,
    round((percentile_cont(0.5) within group (order by percentage))::numeric, 2) as median_percentage,
    round(stddev_samp(percentage), 2) as percentage_deviation,
    round(avg(extract(epoch from submitted_at - started_at)), 1) as average_seconds, max(started_at) as last_started_at
  from assessment_attempts
  group by assessment_id;
comment on materialized view assessment_statistics is 'Results of each assessment as of the latest refresh_analytics().';
create unique index assessment_statistics_key on assessment_statistics (assessment_id);

create materialized view question_statistics as
  select attempt_answers.assessment_id, attempt_answers.question_id, count(*) as answers, count(*) filter (where is_correct) as correct_answers,
    round(count(*) filter (where is_correct)::numeric / count(*), 4) as correct_share,
    round(corr(points_awarded, percentage)::numeric, 4) as discrimination,
    round(avg(time_spent_ms)) as average_ms, round(avg(hints_used), 2) as average_hints
  from attempt_answers
  join assessment_attempts on assessment_attempts.id = attempt_answers.attempt_id
  where is_correct is not null and assessment_attempts.status = 'graded'
  group by attempt_answers.assessment_id, attempt_answers.question_id;
comment on materialized view question_statistics is
  'How each question of each assessment does, as of the latest refresh_analytics(). A low or negative discrimination points to a bad question.';
comment on column question_statistics.correct_share is 'Share of right answers: the question''s measured easiness.';
comment on column question_statistics.discrimination is 'Correlation of points with the attempt''s percentage: do the better learners answer it better?';
create unique index question_statistics_key on question_statistics (assessment_id, question_id);
create index question_statistics_question_idx on question_statistics (question_id);

create function refresh_analytics() returns void
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  refresh materialized view concurrently assessment_statistics;
  refresh materialized view concurrently question_statistics;
end
$$;
comment on function refresh_analytics() is 'Brings the materialized statistics up to date; readers go on reading meanwhile. For the owner.';
select restrict_to_owner('refresh_analytics()');

-- A few learners, assessments and questions make most of the traffic: 1,000 most common values instead of 100 let the planner see them.
alter table assessment_attempts alter column assessment_id set statistics 1000;
alter table assessment_attempts alter column user_id set statistics 1000;
alter table attempt_answers alter column assessment_id set statistics 1000;
alter table attempt_answers alter column question_id set statistics 1000;
alter table sessions alter column user_id set statistics 1000;

-- Columns that depend on each other: a question belongs to few assessments; a status implies whether there is a result.
create statistics attempt_answers_question_stats (ndistinct, dependencies) on assessment_id, question_id from attempt_answers;
create statistics assessment_attempts_result_stats (dependencies, mcv) on status, passed from assessment_attempts;
