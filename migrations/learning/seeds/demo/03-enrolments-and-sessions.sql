--! Title: Three months of learning

-- Chance is a number from 0 to below 1 out of md5. Each learner has a diligence, which shows in everything that the learner does.
create temporary table demo_learners on commit drop as
select users.id, ('x' || left(md5('number:' || users.email), 2))::bit(8)::integer as number, users.created_at as joined_at, today.created_at as today,
  coalesce(users.deleted_at, today.created_at) as left_at,
  ('x' || left(md5('diligence:' || users.email), 8))::bit(32)::bigint / 4294967296.0 as diligence
from users join users as today on today.id = '20000000-0000-4000-8000-000000000001'
where users.metadata ->> 'seed' = 'demo' and users.role = 'learner' and users.status <> 'suspended';

create temporary table demo_enrolments on commit drop as
select demo_learners.id as user_id, diligence, courses.id as course_id, courses.slug, md5(format('enrolment:%s:%s', demo_learners.id, courses.slug))::uuid as id,
  greatest(joined_at, courses.published_at) + interval '1 day' as enrolled_at, today,
  ('x' || left(md5(format('%s:%s', demo_learners.id, courses.slug)), 8))::bit(32)::bigint / 4294967296.0 as chance
from demo_learners join courses on courses.metadata ->> 'seed' = 'demo'
where ('x' || left(md5(format('taken:%s:%s', demo_learners.id, courses.slug)), 2))::bit(8)::integer < 110;

insert into enrolments (id, user_id, course_id, enrolled_at)
select id, user_id, course_id, enrolled_at from demo_enrolments
on conflict do nothing;

insert into lesson_progress (enrolment_id, lesson_id, status, percentage, time_spent_seconds, opened_at, last_opened_at, completed_at)
select demo_enrolments.id, lessons.id, case when is_done then 'completed' else 'in_progress' end, case when is_done then 100 else 30 + lessons.position % 40 end,
  lessons.estimated_minutes * 60, opened_at, opened_at + interval '25 minutes', case when is_done then opened_at + interval '25 minutes' end
from demo_enrolments
join enrolments on enrolments.id = demo_enrolments.id and enrolments.status = 'active'
join lessons on lessons.course_id = demo_enrolments.course_id
cross join lateral (
  select lessons.position / 10 as n, floor(9 * greatest(chance, power(diligence, 2)))::integer as reached,
    demo_enrolments.enrolled_at + (today - demo_enrolments.enrolled_at) * (lessons.position / 100.0) as opened_at
) as pace
cross join lateral (select n <= reached as is_done) as progress
where n <= reached + 1
order by opened_at, demo_enrolments.id
on conflict (enrolment_id, lesson_id) do nothing;

update enrolments set status = 'withdrawn', withdrawn_at = demo_enrolments.today - interval '1 day'
from demo_enrolments
where demo_enrolments.id = enrolments.id and chance < 0.06 and status = 'active';

-- More on working days and before the evening; the diligent come four days of five.
insert into sessions (id, user_id, course_id, kind, device, started_at, last_active_at, ended_at, end_reason, active_seconds, focus_score)
select md5(format('demo session:%s:%s', demo_learners.id, age))::uuid, demo_learners.id, taken.course_id,
  (array['study', 'study', 'practice', 'review', 'tutoring'])[1 + floor(5 * kind_chance)::integer], (array['web', 'ios', 'android', 'desktop'])[1 + number % 4],
  started_at, started_at + make_interval(mins => minutes), started_at + make_interval(mins => minutes + 1),
  case when kind_chance > 0.85 then 'idle' else 'finished' end, minutes * 52, round(0.55 + 0.4 * diligence, 4)
from demo_learners
cross join generate_series(1, 90) as age
cross join lateral (select md5(format('%s:%s', demo_learners.id, age)) as digest) as drawn
cross join lateral (
  select ('x' || left(digest, 8))::bit(32)::bigint / 4294967296.0 as chance, ('x' || substr(digest, 9, 8))::bit(32)::bigint / 4294967296.0 as kind_chance,
    5 + ('x' || substr(digest, 17, 2))::bit(8)::integer % 55 as minutes, today - make_interval(days => age, mins => number) as started_at
) as session
left join lateral (
  select course_id from demo_enrolments where demo_enrolments.user_id = demo_learners.id and enrolled_at < session.started_at
  order by md5(digest || course_id) limit 1
) as taken on true
where chance < 0.1 + 0.7 * diligence and started_at > joined_at and started_at < left_at
on conflict do nothing;
