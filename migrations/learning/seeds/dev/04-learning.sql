--! Title: What two learners did: enrolments, sessions, attempts, goals, talks

-- Days are counted back from the day of the first apply, which is the admin's created_at.
create temporary view today as select created_at as at from users where id = '20000000-0000-4000-8000-000000000001';

insert into enrolments (id, user_id, course_id, enrolled_at, due_at)
select numbered.id::uuid, ('20000000-0000-4000-8000-00000000000' || learner)::uuid, md5('course:' || course)::uuid,
  today.at - make_interval(days => days), today.at + make_interval(days => due)
from today cross join (values
  ('30000000-0000-4000-8000-000000000001', 3, 'fractions-from-the-start', 40, null::integer),
  ('30000000-0000-4000-8000-000000000002', 3, 'python-first-steps', 30, 14),
  ('30000000-0000-4000-8000-000000000003', 4, 'fractions-from-the-start', 20, 30),
  ('30000000-0000-4000-8000-000000000004', 4, 'python-first-steps', 25, null)
) as numbered (id, learner, course, days, due)
on conflict (id) do nothing;

-- The first enrolment is completed by its lessons; the last is withdrawn from.
insert into lesson_progress (enrolment_id, lesson_id, status, percentage, time_spent_seconds, opened_at, last_opened_at, completed_at)
select enrolments.id, lessons.id, case when done then 'completed' else 'in_progress' end, case when done then 100 else 40 end,
  lessons.estimated_minutes * 50, opened_at, opened_at + interval '20 minutes', case when done then opened_at + interval '20 minutes' end
from (values (1, 60, 60), (2, 40, 30), (3, 20, 10), (4, 10, 0)) as reached (enrolment, opened_to, completed_to)
join enrolments on enrolments.id = ('30000000-0000-4000-8000-00000000000' || enrolment)::uuid
join lessons on lessons.course_id = enrolments.course_id and lessons.position <= opened_to
cross join lateral (
  select lessons.position <= completed_to as done, enrolments.enrolled_at + make_interval(days => lessons.position / 5) as opened_at
) as opened
-- A withdrawn enrolment takes no progress; when this is applied again, it is withdrawn.
where enrolments.status <> 'withdrawn'
order by opened_at
on conflict (enrolment_id, lesson_id) do nothing;

update enrolments set status = 'withdrawn', withdrawn_at = today.at - interval '10 days'
from today where id = '30000000-0000-4000-8000-000000000004' and status = 'active';

-- Lena learns every day, Leo every third; Lena is at it now.
insert into sessions (id, user_id, course_id, lesson_id, kind, device, started_at, last_active_at, ended_at, end_reason, active_seconds, focus_score)
select md5(format('session:%s:%s', learner, age))::uuid, ('20000000-0000-4000-8000-00000000000' || learner)::uuid, lessons.course_id, lessons.id,
  (array['study', 'practice', 'review', 'study', 'tutoring'])[1 + age % 5], (array['web', 'ios', 'web', 'desktop'])[1 + age % 4],
  today.at - make_interval(days => age, hours => 1), today.at - make_interval(days => age, mins => 35 - age % 10),
  today.at - make_interval(days => age, mins => 34 - age % 10), (array['finished', 'finished', 'idle'])[1 + age % 3],
  1200 + 10 * (age % 10), 0.7 + (age % 7) * 0.04
from today cross join (values (3, 1), (4, 3)) as rhythm (learner, every_days)
cross join lateral generate_series(every_days, 28, every_days) as age
join lessons on lessons.course_id = md5('course:fractions-from-the-start')::uuid and lessons.position = 10 * (1 + age % 5)
on conflict (id) do nothing;

insert into sessions (id, user_id, course_id, lesson_id, started_at, last_active_at, active_seconds)
select '31000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000003', course_id, lessons.id,
  today.at - interval '15 minutes', today.at, 840
from today, lessons where course_id = md5('course:python-first-steps')::uuid and slug = 'loops'
on conflict do nothing;

-- Attempts go through their life as those of the application do: begun, answered, handed in, graded.
create temporary view attempted as
select ('32000000-0000-4000-8000-00000000000' || n)::uuid as id, ('20000000-0000-4000-8000-00000000000' || learner)::uuid as user_id,
  md5('assessment:' || assessment)::uuid as assessment_id, attempt_number, outcome, today.at - make_interval(hours => hours) as started_at
from today cross join (values
  (1, 3, 'learning-style', 1, 'graded', 960), (2, 4, 'learning-style', 1, 'graded', 480),
  (3, 3, 'fractions-quiz', 1, 'graded', 500), (4, 3, 'fractions-quiz', 2, 'graded', 450),
  (5, 4, 'fractions-quiz', 1, 'graded', 200), (6, 4, 'fractions-quiz', 2, 'abandoned', 100),
  (7, 3, 'python-exam', 1, 'submitted', 30), (8, 4, 'fractions-quiz', 3, 'in_progress', 1)
) as attempt (n, learner, assessment, attempt_number, outcome, hours);

create temporary view answered as
select ('32000000-0000-4000-8000-00000000000' || n)::uuid as attempt_id, md5('question:' || code)::uuid as question_id, options, text_answer, numeric_answer,
  code, points
from (values
  (3, 'fractions-half', '{2}'::integer[], null::text, null::numeric, 1), (3, 'fractions-larger', '{1}', null, null, 0),
  (3, 'fractions-denominator', '{1}', null, null, 0), (3, 'fractions-sum', '{}', null, 0.375, 0), (3, 'fractions-name', '{}', 'Numerator', null, 1),
  (4, 'fractions-half', '{2}', null, null, 1), (4, 'fractions-larger', '{1,3}', null, null, 2), (4, 'fractions-denominator', '{2}', null, null, 1),
  (4, 'fractions-sum', '{}', null, 0.75, 2), (4, 'fractions-name', '{}', 'counter', null, 0),
  (5, 'fractions-half', '{4}', null, null, 0), (5, 'fractions-larger', '{1,3}', null, null, 2), (5, 'fractions-denominator', '{2}', null, null, 1),
  (5, 'fractions-sum', '{}', null, 0.75, 2), (5, 'fractions-name', '{}', 'numerator', null, 1),
  (6, 'fractions-half', '{1}', null, null, null),
  (7, 'python-print', '{1}', null, null, 1), (7, 'python-loop', '{2}', null, null, 2), (7, 'python-sum', '{}', null, 10, 3),
  (7, 'python-function', '{1}', null, null, 1), (7, 'python-explain', '{}', 'A function has a name, so a program reads like a list of what it does.', null, null),
  (8, 'fractions-half', '{2}', null, null, null)
) as answer (n, code, options, text_answer, numeric_answer, points);

-- Second and third attempts begin when those before have ended, so everything goes by number.
do $$
declare
  number integer;
begin
  for number in 1..3 loop
    insert into assessment_attempts (id, user_id, assessment_id, attempt_number, started_at)
    select id, user_id, assessment_id, attempt_number, started_at from attempted where attempt_number = number
    on conflict do nothing;

    insert into attempt_answers (attempt_id, question_id, text_answer, numeric_answer, is_correct, points_awarded, time_spent_ms, answered_at)
    select attempt_id, question_id, text_answer, numeric_answer, points > 0, points, 15000 + 1000 * length(code),
      attempted.started_at + make_interval(mins => row_number() over (partition by attempt_id order by code)::integer)
    from answered join attempted on attempted.id = attempt_id
    where attempt_number = number
    union all
    select attempted.id, question_id, null, null, null, null, 9000, attempted.started_at + make_interval(mins => position)
    from attempted join assessment_questions using (assessment_id)
    where attempted.assessment_id = md5('assessment:learning-style')::uuid and attempt_number = number
    on conflict (attempt_id, question_id) do nothing;

    insert into attempt_answer_options (attempt_id, question_id, option_id, created_at)
    select attempt_id, question_id, md5(format('option:%s:%s', code, position))::uuid, attempted.started_at + interval '10 minutes'
    from answered join attempted on attempted.id = attempt_id
    cross join unnest(options) as position
    where attempt_number = number
    union all
    -- Lena sees, Leo tries.
    select attempted.id, question_id, md5(format('style option:%s:%s', position,
      case when user_id = '20000000-0000-4000-8000-000000000003' then (array[1, 1, 3, 1, 2, 1, 3, 1])[position] else (array[4, 4, 1, 4, 4, 2, 4, 3])[position] end))::uuid,
      attempted.started_at + interval '10 minutes'
    from attempted join assessment_questions using (assessment_id)
    where attempted.assessment_id = md5('assessment:learning-style')::uuid and attempt_number = number
    on conflict do nothing;

    update assessment_attempts set status = 'abandoned'
    from attempted
    where attempted.id = assessment_attempts.id and outcome = 'abandoned' and assessment_attempts.attempt_number = number and status = 'in_progress';
    update assessment_attempts set status = 'submitted', submitted_at = attempted.started_at + interval '12 minutes'
    from attempted
    where attempted.id = assessment_attempts.id and outcome in ('submitted', 'graded') and assessment_attempts.attempt_number = number
      and status = 'in_progress';
    update assessment_attempts set status = 'graded', graded_at = attempted.started_at + interval '13 minutes'
    from attempted
    where attempted.id = assessment_attempts.id and outcome = 'graded' and assessment_attempts.attempt_number = number and status = 'submitted';
  end loop;
end
$$;

insert into learning_goals (id, user_id, kind, course_id, topic_id, target_value, status, starts_on, due_on, achieved_at)
select goal.id::uuid, ('20000000-0000-4000-8000-00000000000' || learner)::uuid, kind, md5('course:' || course)::uuid, md5('topic:' || topic)::uuid, target,
  status, (today.at at time zone 'UTC')::date - 30, (today.at at time zone 'UTC')::date + 30, case status when 'achieved' then today.at - interval '20 days' end
from today cross join (values
  ('33000000-0000-4000-8000-000000000001', 3, 'weekly_minutes', null, null, 240, 'active'),
  ('33000000-0000-4000-8000-000000000002', 3, 'course_completion', 'fractions-from-the-start', null, 100, 'achieved'),
  ('33000000-0000-4000-8000-000000000003', 4, 'topic_mastery', null, 'fractions', 80, 'active')
) as goal (id, learner, kind, course, topic, target, status)
on conflict (id) do nothing;

insert into recommendations (id, user_id, course_id, topic_id, reason, explanation, score, status, created_at, expires_at, responded_at)
select advice.id::uuid, ('20000000-0000-4000-8000-00000000000' || learner)::uuid, md5('course:' || course)::uuid, md5('topic:' || topic)::uuid, reason,
  explanation, score, status, today.at - interval '3 days', today.at + interval '11 days', case status when 'accepted' then today.at - interval '2 days' end
from today cross join (values
  ('34000000-0000-4000-8000-000000000001', 3, null, 'arithmetic', 'weak_topic', 'The name of a part was missed in the latest quiz.', 0.81, 'new'),
  ('34000000-0000-4000-8000-000000000002', 4, 'python-first-steps', null, 'interest', 'You said that you like programming.', 0.55, 'shown'),
  ('34000000-0000-4000-8000-000000000003', 4, null, 'fractions', 'review_due', 'Two weeks since the latest answer.', 0.74, 'accepted')
) as advice (id, learner, course, topic, reason, explanation, score, status)
on conflict do nothing;

insert into user_achievements (user_id, achievement_id, awarded_at)
select ('20000000-0000-4000-8000-00000000000' || learner)::uuid, md5('achievement:' || code)::uuid, today.at - make_interval(days => days)
from today cross join (values
  (3, 'first_session', 27), (3, 'streak_7', 20), (3, 'first_course', 28), (3, 'first_pass', 18), (3, 'knows_own_style', 40), (4, 'first_session', 27)
) as earned (learner, code, days)
on conflict (user_id, achievement_id) do nothing;

insert into notifications (id, user_id, kind, channel, title, body, scheduled_for, sent_at, read_at, created_at)
select notice.id::uuid, ('20000000-0000-4000-8000-00000000000' || learner)::uuid, kind, channel, title, body, today.at - make_interval(hours => hours),
  case when hours > 0 then today.at - make_interval(hours => hours) end, case when is_read then today.at - make_interval(hours => hours) + interval '5 minutes' end,
  today.at - interval '30 days'
from today cross join (values
  ('35000000-0000-4000-8000-000000000001', 3, 'result', 'in_app', 'Your quiz is graded', 'Fractions: 6 of 7 points', 450, true),
  ('35000000-0000-4000-8000-000000000002', 3, 'achievement', 'push', 'A week in a row', '', 480, false),
  ('35000000-0000-4000-8000-000000000003', 4, 'reminder', 'email', 'Twenty minutes today?', '', 10, false),
  ('35000000-0000-4000-8000-000000000004', 4, 'review_due', 'in_app', 'Fractions want to be seen again', '', -24, false)
) as notice (id, learner, kind, channel, title, body, hours, is_read)
on conflict (id) do nothing;

insert into conversations (id, user_id, course_id, lesson_id, title, created_at)
select '36000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000003', course_id, lessons.id, 'Why a common denominator?',
  today.at - interval '12 days'
from today, lessons where course_id = md5('course:fractions-from-the-start')::uuid and slug = 'adding'
on conflict (id) do nothing;

insert into messages (id, conversation_id, role, content, model, input_tokens, output_tokens, latency_ms, rating, created_at)
select md5('dev message:' || n)::uuid, '36000000-0000-4000-8000-000000000001', role, content, case role when 'assistant' then 'tutor-1' end,
  case role when 'assistant' then 120 + 60 * n end, case role when 'assistant' then 40 + 5 * n end, case role when 'assistant' then 900 + 30 * n end,
  case n when 4 then 1 end, today.at - interval '12 days' + make_interval(mins => n)
from today cross join (values
  (1, 'learner', 'Why can I not add 1/2 and 1/3 as they are?'),
  (2, 'assistant', 'Picture two pizzas, one cut into two pieces and one into three. Are the pieces of one size?'),
  (3, 'learner', 'No. So I cut both into six?'),
  (4, 'assistant', 'Just so: three sixths and two sixths are five sixths.')
) as said (n, role, content)
order by n
on conflict (id) do nothing;

drop view answered, attempted, today;
