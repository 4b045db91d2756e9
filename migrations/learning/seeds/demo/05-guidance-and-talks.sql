--! Title: Goals, advice, badges, notices, and talks with the assistant

create temporary table demo_learners on commit drop as
select users.id, today.created_at as today, ('x' || left(md5('guided:' || users.email), 4))::bit(16)::integer as number
from users join users as today on today.id = '20000000-0000-4000-8000-000000000001'
where users.metadata ->> 'seed' = 'demo' and users.role = 'learner' and users.deleted_at is null;

insert into learning_goals (id, user_id, kind, target_value, status, starts_on, due_on, created_at)
select md5('demo goal:' || id)::uuid, id, 'weekly_minutes', 30 + 15 * (number % 10), (array['active', 'active', 'missed', 'abandoned'])[1 + number % 4],
  (today at time zone 'UTC')::date - 28, (today at time zone 'UTC')::date + 7 * (number % 5), today - interval '28 days'
from demo_learners
on conflict (id) do nothing;

-- The weakest topic of each learner, as it was known on the day.
insert into recommendations (id, user_id, topic_id, reason, explanation, score, status, created_at, updated_at, expires_at, responded_at)
select md5('demo advice:' || demo_learners.id)::uuid, demo_learners.id, weakest.topic_id, 'weak_topic', 'Your answers here were the least sure.', 1 - mastery, status,
  today - interval '1 day', today - interval '1 day', today + interval '13 days', case when status in ('accepted', 'dismissed') then today - interval '6 hours' end
from demo_learners
cross join lateral (select (array['new', 'shown', 'accepted', 'dismissed'])[1 + number % 4] as status) as reaction
cross join lateral (select topic_id, mastery from topic_mastery where user_id = demo_learners.id order by mastery, topic_id limit 1) as weakest
on conflict do nothing;

insert into user_achievements (user_id, achievement_id, awarded_at)
select user_id, md5('achievement:' || code)::uuid, awarded_at
from (
  select user_id, 'first_session' as code, min(ended_at) as awarded_at from sessions where ended_at is not null group by user_id
  union all select user_id, 'first_course', min(completed_at) from enrolments where completed_at is not null group by user_id
  union all select user_id, 'first_pass', min(graded_at) from assessment_attempts where passed group by user_id
  union all select user_id, 'first_mastery', min(last_answered_at) from topic_mastery where mastery >= 0.85 group by user_id
) as earned
where user_id in (select id from demo_learners)
on conflict (user_id, achievement_id) do nothing;

insert into notifications (id, user_id, kind, channel, title, body, scheduled_for, sent_at, read_at, failure, created_at)
select md5(format('demo notice:%s:%s', id, n))::uuid, id, (array['reminder', 'review_due', 'reminder', 'achievement', 'announcement'])[n],
  (array['push', 'in_app', 'email', 'in_app', 'in_app'])[n],
  (array['Twenty minutes today?', 'Something wants to be seen again', 'You were away for three days', 'A new badge', 'Two new courses'])[n], '',
  planned_at, case when not failed then planned_at + interval '2 seconds' end, case when not failed and (number + n) % 3 > 0 then planned_at + interval '1 hour' end,
  case when failed then 'mailbox unavailable' end, planned_at - interval '1 day'
from demo_learners cross join generate_series(1, 5) as n
cross join lateral (select today - make_interval(days => 4 * n, mins => number % 600) as planned_at, n = 3 and number % 20 = 0 as failed) as plan
on conflict (id) do nothing;

insert into conversations (id, user_id, course_id, title, created_at)
select md5('demo conversation:' || enrolments.id)::uuid, enrolments.user_id, enrolments.course_id, 'About ' || courses.title,
  enrolments.enrolled_at + interval '3 days'
from demo_learners
join enrolments on enrolments.user_id = demo_learners.id
join courses on courses.id = enrolments.course_id and courses.metadata ->> 'seed' = 'demo'
where enrolments.id = md5(format('enrolment:%s:%s', demo_learners.id, courses.slug))::uuid and number % 3 = 0
on conflict (id) do nothing;

insert into messages (id, conversation_id, role, content, model, input_tokens, output_tokens, latency_ms, rating, created_at)
select md5(format('demo message:%s:%s', conversations.id, n))::uuid, conversations.id, role, content, case role when 'assistant' then 'tutor-1' end,
  case role when 'assistant' then 90 + 40 * n end, case role when 'assistant' then length(content) / 4 end, case role when 'assistant' then 700 + 90 * n end,
  case when role = 'assistant' and number % 4 = 0 then 1 when role = 'assistant' and number % 11 = 0 then -1 end,
  conversations.created_at + make_interval(mins => n)
from demo_learners
join conversations on conversations.user_id = demo_learners.id
join enrolments on conversations.id = md5('demo conversation:' || enrolments.id)::uuid
cross join (values
  (1, 'learner', 'I do not understand the first lesson. Where do I begin?'),
  (2, 'assistant', 'Begin with the sentence at its end. Say it in your own words, and we shall see what is missing.'),
  (3, 'learner', 'And if I still do not get it?'),
  (4, 'assistant', 'Then we take an example, a small one, and go through it step by step.'),
  (5, 'learner', 'Thank you, now it is clear.'),
  (6, 'assistant', 'Then try the quiz. What you miss there is what we talk about tomorrow.')
) as said (n, role, content)
order by conversations.created_at, conversations.id, n
on conflict (id) do nothing;

insert into login_sessions (id, user_id, token_hash, ip, user_agent, created_at, last_seen_at, expires_at, revoked_at)
select md5('demo login:' || id)::uuid, id, encode(sha256(('demo token of ' || id)::bytea), 'hex'), inet '198.51.100.0' + number % 250, 'Mozilla/5.0',
  today - interval '3 days', today - make_interval(hours => number % 70), today + interval '11 days',
  case when number % 9 = 0 then today - interval '1 hour' end
from demo_learners
on conflict (id) do nothing;
