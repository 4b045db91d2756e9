--! Title: Six users: staff, learners, a newcomer, one invited
--! Login: admin@example.com / admin-dev-only
--! Login: instructor@example.com / instructor-dev-only
--! Login: learner1@example.com / learner1-dev-only
--! Login: learner2@example.com / learner2-dev-only
--! Login: demo@example.com / demo-dev-only

-- The day of the first apply is the day all dev and demo data ends on: later files read it from the admin's created_at, so that a
-- second apply makes the same rows.
insert into users (id, email, display_name, role, status, password_hash, locale, time_zone, email_verified_at, metadata)
values
  ('20000000-0000-4000-8000-000000000001', 'admin@example.com', 'Ada Admin', 'admin', 'active',
    '$2b$10$5QUqnitHaldefm7JmK32x.0DQNhWOolaKahzOUHryzTYVtgVSCQoO', 'en-GB', 'Europe/London', now(), '{}'),
  ('20000000-0000-4000-8000-000000000002', 'instructor@example.com', 'Ines Instructor', 'instructor', 'active',
    '$2b$10$PC588qHedPAogVu.DEwjuupXXosgJTKIQRC/RL/MshIHeEH6YdE2e', 'en', 'Europe/Madrid', now(), '{"subjects": ["mathematics", "programming"]}'),
  ('20000000-0000-4000-8000-000000000003', 'learner1@example.com', 'Lena Learner', 'learner', 'active',
    '$2b$10$uz46r5gs2cpQJ4syfxVMQuB4ttqnCjf7EmFcHLiAzBXuuKL7aPgQ6', 'en', 'Europe/Berlin', now(), '{"referral": "school"}'),
  ('20000000-0000-4000-8000-000000000004', 'learner2@example.com', 'Leo Learner', 'learner', 'active',
    '$2b$10$T3kc2Hx/sRAK39DIAYV24.PkS/w4fP2csmBAeBqV0NvqJ.ZSAhI7y', 'en', 'America/New_York', now(), '{"referral": "web"}'),
  ('20000000-0000-4000-8000-000000000005', 'demo@example.com', 'Dan Demo', 'learner', 'active',
    '$2b$10$EgvRH9JxlhmElhyE24epSOd6nToUrIQHpKRdIr31Spn6vuX5T2xqa', 'en', 'UTC', now(), '{}'),
  ('20000000-0000-4000-8000-000000000006', 'invited@example.com', 'Iris Invited', 'learner', 'invited', null, 'en', 'Asia/Tokyo', null, '{}')
on conflict (id) do update
  set email = excluded.email, display_name = excluded.display_name, role = excluded.role, status = excluded.status,
      password_hash = excluded.password_hash, failed_login_attempts = 0, locked_until = null, deleted_at = null
  where (users.email, users.display_name, users.role, users.status, users.password_hash, users.failed_login_attempts, users.locked_until,
         users.deleted_at)
    is distinct from (excluded.email, excluded.display_name, excluded.role, excluded.status, excluded.password_hash, 0, null, null);

-- Styles are written by the assessments that learners took.
insert into learning_profiles (user_id, level, pace, daily_goal_minutes, reminder_time, interests, preferences) values
  ('20000000-0000-4000-8000-000000000003', 'intermediate', 'intensive', 45, '18:30', '{mathematics,programming}', '{"captions": true, "theme": "dark"}'),
  ('20000000-0000-4000-8000-000000000004', 'beginner', 'steady', 20, '07:15', '{programming}', '{"voice": "calm"}'),
  ('20000000-0000-4000-8000-000000000005', 'beginner', 'relaxed', 10, null, '{}', '{}')
on conflict (user_id) do nothing;

insert into login_sessions (id, user_id, token_hash, ip, user_agent, created_at, last_seen_at, expires_at)
select md5('login session:' || email)::uuid, id, encode(sha256(('dev token of ' || email)::bytea), 'hex'), '192.0.2.10', 'Mozilla/5.0',
  created_at - interval '2 hours', created_at, created_at + interval '14 days'
from users where id in ('20000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000003')
on conflict (id) do nothing;
