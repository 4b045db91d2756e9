-- Volume for benchmarks, scaled by the setting pgroundwork.volume_rows. The main table is attempt_answers: exactly that many. For each
-- answer there are about 0.8 chosen options, 0.3 rows of lesson_progress, 0.2 sessions, 0.1 attempts, 0.1 rows of topic_mastery,
-- 0.1 notifications, 0.05 messages, 0.05 rows of audit, 0.03 enrolments and 0.01 users; 0.0005 courses, but 20 at least, of 20 lessons
-- and two assessments of ten questions each. A few learners and assessments make most of the traffic, as in life: of 1,000 assessments
-- the busiest has a thirtieth of all attempts, of 10,000 learners the busiest a five-hundredth.
--
-- Runs as the migrator on a database with migrations and reference seeds, each file in one transaction. The same on every machine and
-- day: the year is 2025, and chance is taken from md5. Nobody can log in.
--
-- The tables' own triggers are off within the transaction: they would write each row of people and content a second time, into the
-- audit, and compute a learner's mastery anew for each attempt. Rows are inserted as the triggers would have left them; the last file
-- checks that with integrity_findings().

create or replace function pg_temp.draw(digest text, nth integer) returns double precision
  language sql immutable
  return ('x' || substr(digest, nth * 8 - 7, 8))::bit(32)::bigint::double precision / 4294967296;
comment on function pg_temp.draw(text, integer) is 'A number from 0 to below 1, one of the four (1 to 4) in an md5 digest.';

create or replace function pg_temp.text_of(seed text, words integer) returns text
  language sql immutable
  return (
    -- The first words of the list come most often; one in fifteen is rarer, made of syllables.
    select string_agg(case when pg_temp.draw(digest, 1) < 0.93
      then (array['the', 'of', 'and', 'is', 'learn', 'practice', 'example', 'number', 'question', 'answer', 'rule', 'word', 'sentence', 'reason',
        'number', 'time', 'change', 'group', 'value', 'measure', 'picture', 'story', 'force', 'energy', 'equation', 'function', 'letter', 'grammar',
        'verb', 'city', 'river', 'law', 'trade', 'machine', 'engine', 'cell', 'plant', 'light', 'sound', 'heat', 'atom', 'planet', 'ocean', 'climate',
        'music', 'rhythm', 'painting', 'theatre', 'empire', 'revolution', 'treaty', 'algorithm', 'database', 'network', 'proof', 'triangle', 'circle',
        'fraction', 'percentage', 'probability'])[1 + floor(60 * power(pg_temp.draw(digest, 2), 2))::integer]
      else (array['kro', 'lim', 'ven', 'tas', 'mor', 'pel', 'dun', 'sib', 'rag', 'hol', 'fen', 'wes', 'nim', 'cal', 'bor', 'jut'])
          [1 + floor(16 * pg_temp.draw(digest, 2))::integer]
        || (array['adin', 'etor', 'ison', 'onal', 'umen', 'aris', 'elia', 'ocra', 'upin', 'ylon'])[1 + floor(10 * pg_temp.draw(digest, 3))::integer]
        || (array['ase', 'ite', 'oid', 'ium', 'ine', 'ous', 'al', 'ic'])[1 + floor(8 * pg_temp.draw(digest, 4))::integer]
      end, ' ' order by n)
    from generate_series(1, words) as n cross join lateral (select md5(seed || ':' || n) as digest) as chance
  );

alter table users disable trigger user;
alter table learning_profiles disable trigger user;
alter table courses disable trigger user;
alter table lessons disable trigger user;
alter table assessments disable trigger user;
alter table questions disable trigger user;
alter table question_options disable trigger user;
alter table assessment_questions disable trigger user;

-- The older half came from the system before.
insert into users (id, legacy_id, email, display_name, role, status, password_hash, time_zone, email_verified_at, failed_login_attempts, locked_until,
  last_login_at, created_at, updated_at, deleted_at)
select md5('volume:user:' || n)::uuid, case when n <= users_count / 2 then n::text end, format('%s.%s.%s@example.com', given, family, n),
  initcap(given || ' ' || family), case when n % 1000 = 0 then 'admin' when n % 100 = 0 then 'instructor' else 'learner' end,
  case when status_draw < 0.92 then 'active' when status_draw < 0.95 then 'invited' when status_draw < 0.97 then 'suspended' else 'closed' end,
  case when status_draw < 0.92 or status_draw >= 0.95 then '$2b$10$' || repeat('.', 53) end,
  (array['UTC', 'Europe/Berlin', 'America/New_York', 'Europe/London', 'Asia/Tokyo', 'Europe/Madrid'])[1 + n % 6],
  case when status_draw < 0.92 or status_draw >= 0.95 then joined_at + interval '10 minutes' end, case when status_draw < 0.005 then 5 else 0 end,
  case when status_draw < 0.005 then timestamptz '2026-01-01 00:00:00+00' end,
  case when status_draw < 0.92 then timestamptz '2025-12-31 00:00:00+00' - interval '90 days' * power(pg_temp.draw(digest, 3), 2) end, joined_at, joined_at,
  case when status_draw >= 0.99 then timestamptz '2026-01-01 00:00:00+00' end
from (select greatest(20, current_setting('pgroundwork.volume_rows')::bigint / 100) as users_count) as scale
cross join generate_series(1, users_count) as n
cross join lateral (select md5('volume:user:draw:' || n) as digest) as chance
cross join lateral (
  select pg_temp.draw(digest, 2) as status_draw,
    timestamptz '2023-06-01 00:00:00+00' + interval '570 days' * n / users_count as joined_at,
    (array['anna', 'ben', 'carla', 'david', 'elena', 'felix', 'grace', 'hugo', 'ines', 'jonas', 'karin', 'liam', 'mara', 'noah', 'olga', 'paul'])
      [1 + floor(16 * pg_temp.draw(md5(digest), 1))::integer] as given,
    (array['bar', 'cor', 'dan', 'fel', 'gar', 'hol', 'kem', 'lan', 'mor', 'nor', 'pet', 'ros', 'sal', 'tor', 'val', 'wes'])
      [1 + floor(16 * pg_temp.draw(md5(digest), 2))::integer]
    || (array['ber', 'den', 'feld', 'ger', 'hof', 'ker', 'ling', 'man', 'ner', 'rich', 'sen', 'son', 'stein', 'ton', 'well', 'wood'])
      [1 + floor(16 * pg_temp.draw(md5(digest), 3))::integer] as family
) as person;

insert into learning_profiles (user_id, level, pace, daily_goal_minutes, interests, created_at, updated_at)
select id, (array['beginner', 'intermediate', 'advanced'])[1 + floor(3 * power(pg_temp.draw(digest, 1), 2))::integer],
  (array['steady', 'relaxed', 'intensive'])[1 + floor(3 * power(pg_temp.draw(digest, 2), 2))::integer], 10 + 5 * floor(10 * pg_temp.draw(digest, 3))::integer,
  array[(array['mathematics', 'programming', 'science', 'languages', 'history', 'music', 'art', 'chess'])[1 + floor(8 * power(pg_temp.draw(digest, 4), 2))::integer]],
  created_at, created_at
from users cross join lateral (select md5('profile:' || id) as digest) as chance
where email ~ '\.\d+@example\.com$' and role = 'learner';

insert into courses (id, slug, topic_id, title, summary, description, level, language, tags, estimated_minutes, status, published_at, created_at, updated_at)
select md5('volume:course:' || n)::uuid, 'volume-' || n, leaves[1 + n % cardinality(leaves)], initcap(pg_temp.text_of('title:' || n, 4)),
  pg_temp.text_of('summary:' || n, 12), pg_temp.text_of('description:' || n, 60),
  (array['beginner', 'intermediate', 'advanced'])[1 + floor(3 * power(pg_temp.draw(digest, 1), 2))::integer], 'en',
  array[(array['school', 'university', 'work', 'travel', 'exam', 'hobby'])[1 + n % 6], (array['short', 'weekly', 'intensive'])[1 + n % 3]], 300,
  case when pg_temp.draw(digest, 2) < 0.9 then 'published' else 'archived' end, published_at, published_at, published_at
from (select array_agg(id order by slug) as leaves from topics where parent_id is not null) as catalogue
cross join (select greatest(20, current_setting('pgroundwork.volume_rows')::bigint / 2000) as courses_count) as scale
cross join generate_series(1, courses_count) as n
cross join lateral (
  select md5('volume:course:draw:' || n) as digest, timestamptz '2023-01-01 00:00:00+00' + interval '700 days' * n / courses_count as published_at
) as chance;

insert into lessons (id, course_id, topic_id, slug, section, position, title, kind, language, body, media_url, estimated_minutes, status, created_at, updated_at)
select md5(format('volume:lesson:%s:%s', n, lesson))::uuid, courses.id, courses.topic_id, 'lesson-' || lesson, 'Part ' || (lesson + 4) / 5, 10 * lesson,
  initcap(pg_temp.text_of(format('title:%s:%s', n, lesson), 4)), (array['reading', 'video', 'exercise', 'interactive'])[1 + lesson % 4], 'en',
  pg_temp.text_of(format('body:%s:%s', n, lesson), 120), case when lesson % 4 = 1 then 'https://media.example.com/volume.mp4' end, 15, 'published',
  courses.created_at, courses.created_at
from generate_series(1, greatest(20, current_setting('pgroundwork.volume_rows')::bigint / 2000)) as n
join courses on courses.id = md5('volume:course:' || n)::uuid
cross join generate_series(1, 20) as lesson;

-- Of a course's two assessments the one with the odd number is a quiz, the other an exam that ends with an essay.
insert into assessments (id, course_id, topic_id, kind, title, status, published_at, pass_percentage, time_limit_minutes, shows_answers, created_at, updated_at)
select md5('volume:assessment:' || n)::uuid, courses.id, courses.topic_id, case when n % 2 = 1 then 'quiz' else 'exam' end, courses.title, 'published',
  courses.published_at, 60, case when n % 2 = 0 then 60 end, 'after_grading', courses.published_at, courses.published_at
from generate_series(1, 2 * greatest(20, current_setting('pgroundwork.volume_rows')::bigint / 2000)) as n
join courses on courses.id = md5('volume:course:' || (n + 1) / 2)::uuid;

insert into questions (id, topic_id, kind, prompt, difficulty, numeric_answer, status, created_at, updated_at)
select md5(format('volume:question:%s:%s', n, number))::uuid, assessments.topic_id,
  case when number <= 8 then 'single_choice' when number = 9 or n % 2 = 1 then 'numeric' else 'essay' end,
  initcap(pg_temp.text_of(format('prompt:%s:%s', n, number), 10)) || '?', round(pg_temp.draw(md5(format('volume:difficulty:%s:%s', n, number)), 1)::numeric, 4),
  case when number = 9 or (number = 10 and n % 2 = 1) then n % 100 end, 'published', assessments.created_at, assessments.created_at
from generate_series(1, 2 * greatest(20, current_setting('pgroundwork.volume_rows')::bigint / 2000)) as n
join assessments on assessments.id = md5('volume:assessment:' || n)::uuid
cross join generate_series(1, 10) as number;

insert into question_options (id, question_id, position, content, is_correct, created_at, updated_at)
select md5(format('volume:option:%s:%s:%s', n, number, position))::uuid, questions.id, position, pg_temp.text_of(format('option:%s:%s:%s', n, number, position), 3),
  position = 1 + (n + number) % 4, questions.created_at, questions.created_at
from generate_series(1, 2 * greatest(20, current_setting('pgroundwork.volume_rows')::bigint / 2000)) as n
cross join generate_series(1, 8) as number
join questions on questions.id = md5(format('volume:question:%s:%s', n, number))::uuid
cross join generate_series(1, 4) as position;

insert into assessment_questions (assessment_id, question_id, position, points, created_at)
select md5('volume:assessment:' || n)::uuid, questions.id, number, case when number <= 7 then 1 when number = 10 and n % 2 = 0 then 5 else 2 end, questions.created_at
from generate_series(1, 2 * greatest(20, current_setting('pgroundwork.volume_rows')::bigint / 2000)) as n
cross join generate_series(1, 10) as number
join questions on questions.id = md5(format('volume:question:%s:%s', n, number))::uuid;

alter table users enable trigger user;
alter table learning_profiles enable trigger user;
alter table courses enable trigger user;
alter table lessons enable trigger user;
alter table assessments enable trigger user;
alter table questions enable trigger user;
alter table question_options enable trigger user;
alter table assessment_questions enable trigger user;

analyze users, learning_profiles, courses, lessons, assessments, questions, question_options, assessment_questions;
