-- Enrolments and their progress, guidance, talks, the audit; and the check that stands for the triggers that were off. See the first file.

create or replace function pg_temp.draw(digest text, nth integer) returns double precision
  language sql immutable
  return ('x' || substr(digest, nth * 8 - 7, 8))::bit(32)::bigint::double precision / 4294967296;

create temporary view volume_scale as
select rows_count, greatest(20, rows_count / 100) as users_count, greatest(20, rows_count / 2000) as courses_count
from (select current_setting('pgroundwork.volume_rows')::bigint as rows_count) as asked;

alter table enrolments disable trigger user;
alter table lesson_progress disable trigger user;
alter table learning_goals disable trigger user;
alter table recommendations disable trigger user;
alter table conversations disable trigger user;
alter table messages disable trigger user;

-- Three courses for each learner, fewer where chance drew one twice. Reached is how many of the 20 lessons were completed.
create temporary table volume_enrolments on commit drop as
select md5(format('volume:enrolment:%s:%s', user_number, course_number))::uuid as id, user_number, course_number,
  least(20, floor(22 * power(pg_temp.draw(digest, 1), 0.8))::integer) as reached, pg_temp.draw(digest, 2) < 0.05 as is_withdrawn,
  timestamptz '2025-01-01 00:00:00+00' + interval '300 days' * pg_temp.draw(digest, 3) as enrolled_at
from (
  select distinct user_number, 1 + floor(courses_count * power(pg_temp.draw(md5(format('volume:taken:%s:%s', user_number, number)), 1), 2))::bigint as course_number
  from volume_scale cross join generate_series(1, users_count) as user_number cross join generate_series(1, 3) as number
) as taken
cross join lateral (select md5(format('volume:enrolment:draw:%s:%s', user_number, course_number)) as digest) as chance;

insert into enrolments (id, user_id, course_id, status, progress_percentage, enrolled_at, due_at, completed_at, withdrawn_at, created_at, updated_at)
select id, md5('volume:user:' || user_number)::uuid, md5('volume:course:' || course_number)::uuid,
  case when is_withdrawn then 'withdrawn' when reached = 20 then 'completed' else 'active' end, 5 * reached, enrolled_at,
  case when user_number % 4 = 0 then enrolled_at + interval '90 days' end,
  case when not is_withdrawn and reached = 20 then enrolled_at + interval '60 days' end, case when is_withdrawn then enrolled_at + interval '60 days' end,
  enrolled_at, enrolled_at + interval '60 days'
from volume_enrolments
order by enrolled_at, id;

insert into lesson_progress (enrolment_id, lesson_id, status, percentage, time_spent_seconds, opened_at, last_opened_at, completed_at, created_at, updated_at)
select id, md5(format('volume:lesson:%s:%s', course_number, number))::uuid, case when number <= reached then 'completed' else 'in_progress' end,
  case when number <= reached then 100 else 50 end, 300 + 37 * (user_number % 40), opened_at, opened_at + interval '15 minutes',
  case when number <= reached then opened_at + interval '15 minutes' end, opened_at, opened_at + interval '15 minutes'
from volume_enrolments
cross join lateral generate_series(1, least(20, reached + 1)) as number
cross join lateral (select enrolled_at + interval '3 days' * (number - 1) as opened_at) as step
order by opened_at, id;

insert into learning_goals (id, user_id, kind, target_value, status, starts_on, due_on, created_at, updated_at)
select md5('volume:goal:' || n)::uuid, md5('volume:user:' || n)::uuid, 'weekly_minutes', 30 + 15 * (n % 12),
  case when n % 10 < 6 then 'active' when n % 10 < 9 then 'missed' else 'abandoned' end, date '2025-12-01', date '2026-01-01' + (n % 60)::integer,
  timestamptz '2025-12-01 00:00:00+00', timestamptz '2025-12-01 00:00:00+00'
from volume_scale cross join generate_series(1, users_count, 2) as n;

-- The last courses of the list are recommended, which nobody took by chance.
insert into recommendations (id, user_id, course_id, reason, score, status, created_at, updated_at, expires_at, responded_at)
select md5(format('volume:advice:%s:%s', n, number))::uuid, md5('volume:user:' || n)::uuid, md5('volume:course:' || courses_count + 1 - number)::uuid,
  (array['popular', 'interest', 'goal'])[number], round(pg_temp.draw(digest, 1)::numeric, 4), status, timestamptz '2025-12-20 00:00:00+00',
  timestamptz '2025-12-20 00:00:00+00', timestamptz '2026-01-20 00:00:00+00', case when status in ('accepted', 'dismissed') then timestamptz '2025-12-21 00:00:00+00' end
from volume_scale
cross join generate_series(1, users_count) as n
cross join generate_series(1, 3) as number
cross join lateral (select md5(format('volume:advice:draw:%s:%s', n, number)) as digest) as chance
cross join lateral (
  select (array['shown', 'dismissed', 'expired', 'new', 'accepted'])[1 + floor(5 * power(pg_temp.draw(digest, 2), 2))::integer] as status
) as reaction;

insert into user_achievements (user_id, achievement_id, awarded_at)
select md5('volume:user:' || n)::uuid, achievements.id, timestamptz '2025-01-01 00:00:00+00' + interval '364 days' * pg_temp.draw(digest, 1)
from volume_scale
cross join generate_series(1, users_count) as n
cross join achievements
cross join lateral (select md5(format('volume:badge:%s:%s', n, achievements.code)) as digest) as chance
-- Cheap badges are common.
where pg_temp.draw(digest, 2) < 4.0 / (4 + achievements.points);

insert into notifications (id, user_id, kind, channel, title, scheduled_for, sent_at, read_at, created_at)
select md5('volume:notification:' || n)::uuid, md5('volume:user:' || 1 + floor(users_count * power(pg_temp.draw(digest, 1), 1.5))::bigint)::uuid,
  (array['reminder', 'review_due', 'result', 'achievement', 'deadline', 'announcement'])[1 + floor(6 * power(pg_temp.draw(digest, 2), 2))::integer],
  (array['in_app', 'push', 'email'])[1 + floor(3 * power(pg_temp.draw(digest, 3), 2))::integer], 'Volume', planned_at,
  -- The newest hundredth is still to be sent.
  case when n <= rows_count / 10 * 0.99 then planned_at + interval '1 second' end,
  case when n <= rows_count / 10 * 0.99 and pg_temp.draw(digest, 4) < 0.8 then planned_at + interval '2 hours' end, planned_at - interval '1 day'
from volume_scale
cross join generate_series(1, rows_count / 10) as n
cross join lateral (
  select md5('volume:notification:draw:' || n) as digest, timestamptz '2025-01-01 00:00:00+00' + interval '365 days' * n / (rows_count / 10) as planned_at
) as chance
order by n;

insert into conversations (id, user_id, course_id, title, status, last_position, last_message_at, created_at, updated_at)
select md5('volume:conversation:' || n)::uuid, md5('volume:user:' || 1 + floor(users_count * power(pg_temp.draw(digest, 1), 2))::bigint)::uuid,
  md5('volume:course:' || 1 + floor(courses_count * power(pg_temp.draw(digest, 2), 2))::bigint)::uuid, 'Volume ' || n,
  case when n % 5 = 0 then 'archived' else 'open' end, 10, begun_at + interval '10 minutes', begun_at, begun_at + interval '10 minutes'
from volume_scale
cross join generate_series(1, rows_count / 200) as n
cross join lateral (
  select md5('volume:conversation:draw:' || n) as digest, timestamptz '2025-01-01 00:00:00+00' + interval '364 days' * n / (rows_count / 200) as begun_at
) as chance
order by n;

insert into messages (id, conversation_id, position, role, content, model, input_tokens, output_tokens, latency_ms, rating, created_at)
select md5(format('volume:message:%s:%s', n, position))::uuid, conversations.id, position, role, 'What is said at place ' || position || ' of a conversation of the volume.',
  case when role = 'assistant' then 'tutor-1' end, case when role = 'assistant' then 100 * position end, case when role = 'assistant' then 80 end,
  case when role = 'assistant' then 400 + floor(4000 * power(pg_temp.draw(digest, 1), 3))::integer end,
  case when role = 'assistant' and pg_temp.draw(digest, 2) < 0.1 then case when pg_temp.draw(digest, 3) < 0.8 then 1 else -1 end end,
  conversations.created_at + make_interval(mins => position)
from volume_scale
cross join generate_series(1, rows_count / 200) as n
join conversations on conversations.id = md5('volume:conversation:' || n)::uuid
cross join generate_series(1, 10) as position
cross join lateral (select md5(format('volume:message:draw:%s:%s', n, position)) as digest) as chance
cross join lateral (select case when position % 2 = 1 then 'learner' else 'assistant' end as role) as said
order by n, position;

insert into login_sessions (id, user_id, token_hash, ip, user_agent, created_at, last_seen_at, expires_at, revoked_at)
select md5('volume:login:' || n)::uuid, md5('volume:user:' || n)::uuid, encode(sha256(('volume:token:' || n)::bytea), 'hex'), inet '10.0.0.0' + n, 'volume',
  timestamptz '2025-12-20 00:00:00+00', timestamptz '2025-12-30 00:00:00+00', timestamptz '2026-01-20 00:00:00+00',
  case when n % 4 = 0 then timestamptz '2025-12-30 00:00:00+00' end
from volume_scale cross join generate_series(1, users_count) as n;

insert into audit_log (id, occurred_at, table_name, record_id, action, old_data, new_data, changed_columns, user_id, request_id, ip, database_user, transaction_id)
select md5('volume:audit:' || n)::uuid, timestamptz '2025-01-01 00:00:00+00' + interval '365 days' * n / (rows_count / 20), 'users',
  md5('volume:user:' || 1 + floor(users_count * power(pg_temp.draw(digest, 1), 1.5))::bigint)::uuid::text, 'update', '{"locale": "en"}', '{"locale": "de"}',
  '{locale}', md5('volume:user:' || 1 + floor(users_count * power(pg_temp.draw(digest, 2), 3))::bigint)::uuid, null, inet '10.0.0.0' + n, 'volume', '3'
from volume_scale
cross join generate_series(1, rows_count / 20) as n
cross join lateral (select md5('volume:audit:draw:' || n) as digest) as chance
order by n;

do $$
declare
  broken record;
begin
  for broken in select * from integrity_findings() limit 1 loop
    raise exception 'the volume breaks a rule: % (% %)', broken.finding, broken.table_name, broken.record_id;
  end loop;
end
$$;

drop view volume_scale;
alter table enrolments enable trigger user;
alter table lesson_progress enable trigger user;
alter table learning_goals enable trigger user;
alter table recommendations enable trigger user;
alter table conversations enable trigger user;
alter table messages enable trigger user;

refresh materialized view assessment_statistics;
refresh materialized view question_statistics;

-- What autovacuum would do within a minute, and a benchmark does not wait for.
select brin_summarize_new_values(index::regclass) from unnest(array['messages_created_brin', 'audit_log_occurred_brin']) as index;
analyze enrolments, lesson_progress, learning_goals, recommendations, user_achievements, notifications, conversations, messages, login_sessions, audit_log,
  assessment_statistics, question_statistics;
