-- Attempts of ten answers each, the sessions in which they were made and as many other sessions, and the mastery that follows. Rows come
-- in the order of their time, as they would in life. See the first file.

create or replace function pg_temp.draw(digest text, nth integer) returns double precision
  language sql immutable
  return ('x' || substr(digest, nth * 8 - 7, 8))::bit(32)::bigint::double precision / 4294967296;

alter table sessions disable trigger user;
alter table assessment_attempts disable trigger user;
alter table attempt_answers disable trigger user;
alter table attempt_answer_options disable trigger user;
alter table topic_mastery disable trigger user;

-- Everything about an attempt that its rows in four tables share. Of the newest fiftieth exams wait for the grade of their essay; of the
-- newest two hundredth those are still in progress that are the last of their learner and assessment.
create temporary table volume_attempts on commit drop as
select n, md5('volume:attempt:' || n)::uuid as id, user_number, md5('volume:user:' || user_number)::uuid as user_id, assessment_number,
  md5('volume:assessment:' || assessment_number)::uuid as assessment_id, attempt_number, started_at, is_exam, answers_count,
  case when age < 0.005 and is_last then 'in_progress' when age < 0.02 and is_exam then 'submitted' when status_draw < 0.05 then 'abandoned' else 'graded' end as status,
  0.3 + 0.65 * pg_temp.draw(md5('volume:ability:' || user_number), 1) as ability
from (
  select n, user_number, assessment_number, assessment_number % 2 = 0 as is_exam, status_draw, 1 - n / attempts_count::double precision as age,
    least(10, rows_count - 10 * (n - 1)) as answers_count,
    timestamptz '2025-01-01 00:00:00+00' + interval '364 days' * (n - 1) / attempts_count as started_at,
    row_number() over (partition by user_number, assessment_number order by n) as attempt_number,
    row_number() over (partition by user_number, assessment_number order by n desc) = 1 as is_last
  from (
    select rows_count, (rows_count + 9) / 10 as attempts_count, greatest(20, rows_count / 100) as users_count,
      2 * greatest(20, rows_count / 2000) as assessments_count
    from (select current_setting('pgroundwork.volume_rows')::bigint as rows_count) as asked
  ) as scale
  cross join generate_series(1, attempts_count) as n
  cross join lateral (select md5('volume:attempt:draw:' || n) as digest) as chance
  cross join lateral (
    select 1 + floor(users_count * power(pg_temp.draw(digest, 1), 1.5))::bigint as user_number,
      1 + floor(assessments_count * power(pg_temp.draw(digest, 2), 2))::bigint as assessment_number, pg_temp.draw(digest, 3) as status_draw
  ) as drawn
) as numbered
order by n;
analyze volume_attempts;

-- What is known better is answered right more often, and what is harder less.
create temporary view volume_answers as
select volume_attempts.*, number, md5(format('volume:question:%s:%s', assessment_number, number))::uuid as question_id, digest,
  case when number <= 7 then 1 when number = 10 and is_exam then 5 else 2 end as max_points,
  started_at + make_interval(secs => 40 * number) as answered_at, is_right,
  status = 'graded' or (status = 'submitted' and number < 10) as is_graded
from volume_attempts
cross join lateral generate_series(1, answers_count) as number
cross join lateral (select md5(format('volume:answer:%s:%s', n, number)) as digest) as chance
cross join lateral (
  select pg_temp.draw(digest, 1) < ability + 0.2 - 0.4 * pg_temp.draw(md5(format('volume:difficulty:%s:%s', assessment_number, number)), 1) as is_right
) as drawn;

insert into sessions (id, user_id, course_id, lesson_id, kind, device, started_at, last_active_at, ended_at, end_reason, active_seconds, focus_score,
  created_at, updated_at)
select md5('volume:session:' || n)::uuid, user_id, course_id, lesson_id, kind,
  (array['web', 'ios', 'android', 'desktop'])[1 + floor(4 * power(pg_temp.draw(digest, 3), 2))::integer], started_at, started_at + seconds, started_at + seconds,
  case when pg_temp.draw(digest, 4) < 0.9 then 'finished' else 'idle' end, floor(extract(epoch from seconds) * 0.8)::integer,
  round(pg_temp.draw(digest, 3)::numeric, 4), started_at, started_at + seconds
from (
  select n, user_id, md5('volume:course:' || (assessment_number + 1) / 2)::uuid as course_id, null::uuid as lesson_id, 'assessment' as kind,
    started_at - interval '1 minute' as started_at, interval '10 minutes' as seconds, md5('volume:session:draw:' || n) as digest
  from volume_attempts
  union all
  select n, md5('volume:user:' || 1 + floor(users_count * power(pg_temp.draw(digest, 1), 1.5))::bigint)::uuid, md5('volume:course:' || course_number)::uuid,
    md5(format('volume:lesson:%s:%s', course_number, 1 + n % 20))::uuid, (array['study', 'practice', 'review', 'tutoring'])[1 + n % 4],
    timestamptz '2025-01-01 00:00:00+00' + interval '364 days' * (n - attempts_count - 1) / attempts_count,
    make_interval(secs => 60 + floor(5000 * power(pg_temp.draw(digest, 2), 3))), md5(digest)
  from (
    select (rows_count + 9) / 10 as attempts_count, greatest(20, rows_count / 100) as users_count, greatest(20, rows_count / 2000) as courses_count
    from (select current_setting('pgroundwork.volume_rows')::bigint as rows_count) as asked
  ) as scale
  cross join generate_series(attempts_count + 1, 2 * attempts_count) as n
  cross join lateral (select md5('volume:session:draw:' || n) as digest) as chance
  cross join lateral (select 1 + floor(courses_count * power(pg_temp.draw(digest, 4), 2))::bigint as course_number) as taken
) as worked
order by started_at, n;

insert into assessment_attempts (id, user_id, assessment_id, session_id, attempt_number, status, score, max_score, passed, started_at, expires_at, submitted_at,
  graded_at, created_at, updated_at)
select id, user_id, assessment_id, md5('volume:session:' || n)::uuid, attempt_number, status, case when status = 'graded' then score end,
  case when status = 'graded' then max_score end, case when status = 'graded' then round(100 * score / max_score, 2) >= 60 end, started_at,
  case when is_exam then started_at + interval '60 minutes' end, case when status in ('submitted', 'graded') then submitted_at end,
  case when status = 'graded' then graded_at end, started_at,
  case status when 'graded' then graded_at when 'submitted' then submitted_at else started_at end
from volume_attempts
join (
  select n, sum(case when is_right then max_points else 0 end)::numeric as score from volume_answers group by n
) as reached using (n)
cross join lateral (
  select case when is_exam then 16 else 13 end as max_score, started_at + interval '9 minutes' as submitted_at,
    started_at + interval '9 minutes' + case when is_exam then interval '1 day' else interval '0' end as graded_at
) as ended
order by n;

insert into attempt_answers (attempt_id, question_id, assessment_id, text_answer, numeric_answer, is_correct, points_awarded, max_points, time_spent_ms,
  answered_at, created_at, updated_at)
select id, question_id, assessment_id, case when number = 10 and is_exam then 'An essay of the volume.' end,
  case when number = 9 or (number = 10 and not is_exam) then assessment_number % 100 + case when is_right then 0 else 1 end end,
  case when is_graded then is_right end, case when is_graded then case when is_right then max_points else 0 end end, max_points,
  3000 + floor(60000 * power(pg_temp.draw(digest, 3), 2))::integer, answered_at, answered_at, answered_at
from volume_answers
order by n, number;

insert into attempt_answer_options (attempt_id, question_id, option_id, created_at)
select id, question_id, md5(format('volume:option:%s:%s:%s', assessment_number, number,
  -- A mistake is one of the three others.
  1 + (assessment_number + number + case when is_right then 0 else 1 + floor(3 * pg_temp.draw(digest, 2))::bigint end) % 4))::uuid, answered_at
from volume_answers
where number <= 8
order by n, number;

-- As refresh_topic_mastery() computes it for one learner.
insert into topic_mastery (user_id, topic_id, mastery, answered_count, correct_count, last_answered_at, next_review_at, created_at, updated_at)
select user_id, topic_id, mastery, answered_count, correct_count, last_answered_at,
  last_answered_at + case when mastery < 0.5 then interval '1 day' when mastery < 0.7 then interval '3 days' when mastery < 0.85 then interval '7 days'
    else interval '21 days' end, first_answered_at, last_answered_at
from (
  select user_id, topic_id, count(*) as answered_count, count(*) filter (where is_correct) as correct_count, min(answered_at) as first_answered_at,
    max(answered_at) as last_answered_at,
    round((count(*) filter (where is_correct and age <= 20) + 1)::numeric / (count(*) filter (where age <= 20) + 2), 4) as mastery
  from (
    select volume_attempts.user_id, questions.topic_id, attempt_answers.is_correct, attempt_answers.answered_at,
      row_number() over (
        partition by volume_attempts.user_id, questions.topic_id
        order by attempt_answers.answered_at desc, attempt_answers.attempt_id, attempt_answers.question_id) as age
    from volume_attempts
    join attempt_answers on attempt_answers.attempt_id = volume_attempts.id
    join questions on questions.id = attempt_answers.question_id
    where volume_attempts.status = 'graded' and attempt_answers.is_correct is not null
  ) as answered
  group by user_id, topic_id
) as measured
order by user_id, topic_id;

drop view volume_answers;
alter table sessions enable trigger user;
alter table assessment_attempts enable trigger user;
alter table attempt_answers enable trigger user;
alter table attempt_answer_options enable trigger user;
alter table topic_mastery enable trigger user;

analyze sessions, assessment_attempts, attempt_answers, attempt_answer_options, topic_mastery;
