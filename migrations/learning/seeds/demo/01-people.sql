--! Title: 120 learners of a school, three more who log in with a password, one instructor
--! Login: tutor@example.com / instructor-demo-only
--! Login: student1@example.com / learner-demo-only
--! Login: student2@example.com / learner-demo-only
--! Login: student3@example.com / learner-demo-only

-- Chance is taken from md5, so that every machine has the same people. Days are counted back from the admin's created_at.
insert into users (id, email, display_name, role, status, password_hash, locale, time_zone, email_verified_at, metadata, created_at)
select md5('demo user:' || person.email)::uuid, person.email, name, person.role, 'active', hash, person.locale, person.time_zone, today.created_at - interval '120 days', '{"seed": "demo"}',
  today.created_at - interval '120 days'
from users as today cross join (values
  ('tutor@example.com', 'Ivo Novak', 'instructor', '$2b$10$gyJ8obrN9kgHjM.8XK/Ua.GRuY9l9zldPKAs/ebNMUdp0pO7N7u62', 'en', 'Europe/Prague'),
  ('student1@example.com', 'Sara Lind', 'learner', '$2b$10$8ixlleW/Fqdz3Oh.ZV.wWuYTnOivHe5x4qbJD9y1QnbGYi74.xLyK', 'en', 'Europe/Stockholm'),
  ('student2@example.com', 'Kofi Mensah', 'learner', '$2b$10$8ixlleW/Fqdz3Oh.ZV.wWuYTnOivHe5x4qbJD9y1QnbGYi74.xLyK', 'en', 'Africa/Accra'),
  ('student3@example.com', 'Mei Tanaka', 'learner', '$2b$10$8ixlleW/Fqdz3Oh.ZV.wWuYTnOivHe5x4qbJD9y1QnbGYi74.xLyK', 'en', 'Asia/Tokyo')
) as person (email, name, role, hash, locale, time_zone)
where today.id = '20000000-0000-4000-8000-000000000001'
on conflict (id) do nothing;

-- The school's own login knows these; they have no password here.
insert into users (id, email, display_name, role, status, identity_provider, identity_subject, locale, time_zone, email_verified_at, metadata,
  created_at, deleted_at)
select md5('demo learner:' || n)::uuid, format('%s.%s%s@school.example.com', lower(given), lower(family), n), given || ' ' || family, 'learner',
  case when n % 40 = 0 then 'closed' when n % 30 = 0 then 'suspended' else 'active' end, 'school-example', 'school|' || md5('subject:' || n),
  person.locale, person.time_zone, joined_at, '{"seed": "demo"}', joined_at, case when n % 40 = 0 then today.created_at - interval '2 days' end
from users as today cross join generate_series(1, 120) as n
cross join lateral (
  select
    (array['Anna', 'Ben', 'Carla', 'David', 'Elena', 'Felix', 'Grace', 'Hugo', 'Ines', 'Jonas', 'Karin', 'Liam', 'Mara', 'Noah', 'Olga', 'Paul'])[1 + n % 16] as given,
    (array['Berger', 'Costa', 'Dahl', 'Evans', 'Fischer', 'Garcia', 'Holm', 'Ivanova', 'Jansen', 'Kaur', 'Lopez', 'Meyer', 'Nagy'])[1 + n % 13] as family,
    (array['en', 'de', 'es', 'fr', 'en-GB'])[1 + n % 5] as locale,
    (array['Europe/London', 'Europe/Berlin', 'Europe/Madrid', 'Europe/Paris', 'Europe/London'])[1 + n % 5] as time_zone,
    today.created_at - make_interval(days => 20 + 13 * n % 100) as joined_at
) as person
where today.id = '20000000-0000-4000-8000-000000000001'
on conflict (id) do nothing;

insert into learning_profiles (user_id, level, pace, daily_goal_minutes, reminder_time, interests)
select id, (array['beginner', 'beginner', 'intermediate', 'advanced'])[1 + digit % 4], (array['relaxed', 'steady', 'steady', 'intensive'])[1 + digit / 4],
  10 + 5 * (digit % 8), case when digit % 3 > 0 then time '16:00' + make_interval(mins => 15 * digit) end,
  array[(array['mathematics', 'science', 'languages', 'history'])[1 + digit % 4], (array['programming', 'learning-skills', 'music'])[1 + digit % 3]]
from users cross join lateral (select ('x' || left(md5(id::text), 1))::bit(4)::integer as digit) as chance
where metadata ->> 'seed' = 'demo' and role = 'learner'
on conflict (user_id) do nothing;
