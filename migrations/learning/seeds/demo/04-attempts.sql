--! Title: Quizzes taken, and what they taught

-- Finished attempts are imported as such, in maintenance; their scores are checked at commit.
set local app.maintenance = 'on';

create temporary table demo_answers on commit drop as
select attempt.*, question_id, points, position, started_at + make_interval(secs => 40 * position) as answered_at, chance < ability as is_right,
  -- The right option stands at 1 + position % 4; a mistake is one of the three others.
  case when chance < ability then 1 + position % 4 else 1 + (position + 1 + floor(3 * (chance - ability) / (1 - ability))::integer) % 4 end as chosen
from (
  select enrolments.user_id, md5('assessment:' || courses.slug)::uuid as assessment_id, attempt_number,
    md5(format('demo attempt:%s:%s', enrolments.id, attempt_number))::uuid as attempt_id,
    0.3 + 0.45 * ('x' || left(md5('diligence:' || users.email), 8))::bit(32)::bigint / 4294967296.0 + 0.1 * attempt_number as ability,
    enrolments.enrolled_at + (today.created_at - enrolments.enrolled_at) * (0.4 * attempt_number) as started_at
  from users
  join courses on courses.metadata ->> 'seed' = 'demo'
  join enrolments on enrolments.id = md5(format('enrolment:%s:%s', users.id, courses.slug))::uuid
  join users as today on today.id = '20000000-0000-4000-8000-000000000001'
  cross join generate_series(1, 2) as attempt_number
  where users.metadata ->> 'seed' = 'demo'
    and ('x' || left(md5('attempts:' || enrolments.id), 2))::bit(8)::integer < case attempt_number when 1 then 210 else 80 end
) as attempt
join assessment_questions using (assessment_id)
cross join lateral (
  select ('x' || left(md5(format('%s:%s', attempt_id, position)), 8))::bit(32)::bigint / 4294967296.0 as chance
) as drawn;

insert into assessment_attempts (id, user_id, assessment_id, attempt_number, status, score, max_score, passed, started_at, submitted_at, graded_at)
select attempt_id, user_id, assessment_id, attempt_number, 'graded', coalesce(sum(points) filter (where is_right), 0), sum(points),
  coalesce(sum(points) filter (where is_right), 0) >= 0.6 * sum(points), started_at, max(answered_at) + interval '20 seconds', max(answered_at) + interval '21 seconds'
from demo_answers
group by attempt_id, user_id, assessment_id, attempt_number, started_at
order by started_at, attempt_id
on conflict (id) do nothing;

insert into attempt_answers (attempt_id, question_id, is_correct, points_awarded, time_spent_ms, answered_at)
select attempt_id, question_id, is_right, case when is_right then points else 0 end, 12000 + 2500 * position, answered_at
from demo_answers
order by answered_at, attempt_id
on conflict (attempt_id, question_id) do nothing;

insert into attempt_answer_options (attempt_id, question_id, option_id, created_at)
select attempt_id, question_id, question_options.id, answered_at
from demo_answers join question_options using (question_id)
where question_options.position = chosen
on conflict (attempt_id, question_id, option_id) do nothing;

select refresh_topic_mastery(user_id) from (select distinct user_id from demo_answers order by user_id) as learner;
