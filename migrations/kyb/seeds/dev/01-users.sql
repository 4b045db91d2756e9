--! Title: An administrator, a compliance officer, an analyst and a test user
--! Login: admin@example.com / admin-dev-only
--! Login: officer@example.com / officer-dev-only
--! Login: analyst@example.com / analyst-dev-only
--! Login: test@example.com / test-dev-only

-- The day of the first apply is the day all dev and demo data ends on: later files read it from the admin's created_at, so that a
-- second apply makes the same rows.
insert into users (id, email, username, password_hash, full_name, company, status, email_verified_at, metadata) values
  ('20000000-0000-4000-8000-000000000001', 'admin@example.com', 'admin',
    '$2b$10$f0RbvkKzaAJe8zMB7DNE5etxB/Yze76N49n2J66S2aCYMN3i.V4oa', 'Ada Admin', 'KYB Platform', 'active', now(), '{"department": "operations"}'),
  ('20000000-0000-4000-8000-000000000002', 'officer@example.com', 'officer',
    '$2b$10$KH5/4EZJTAMAsglo7qqJCOVXQ7P79CV4ByG2AeY.fou88lTYFj1eG', 'Olga Officer', 'KYB Platform', 'active', now(), '{"department": "compliance"}'),
  ('20000000-0000-4000-8000-000000000003', 'analyst@example.com', 'analyst',
    '$2b$10$RN18ZofJTqNFyEWDgljWwO/Ygnc5lol81pVj589PzbPooINafjfsy', 'Andy Analyst', 'KYB Platform', 'active', now(), '{"department": "research"}'),
  ('20000000-0000-4000-8000-000000000004', 'test@example.com', 'test',
    '$2b$10$QxiMG5GGrIK483eRtRYA/.EsCPaOQSgskX7MSWIGMGCnAWiovi3Im', 'Tess Test', 'Test & Sons', 'active', now(), '{"newsletter": true}'),
  -- Was invited and never came; nobody knows the password.
  ('20000000-0000-4000-8000-000000000005', 'newcomer@example.com', 'newcomer',
    '$2b$10$.....................................................', 'Nico Newcomer', 'Atlas Ltd', 'pending', null, '{}')
on conflict (id) do update
  set email = excluded.email, username = excluded.username, password_hash = excluded.password_hash, full_name = excluded.full_name,
      status = excluded.status, email_verified_at = coalesce(users.email_verified_at, excluded.email_verified_at), failed_login_attempts = 0,
      locked_until = null, deleted_at = null
  where (users.email, users.username, users.password_hash, users.full_name, users.status, users.failed_login_attempts, users.locked_until,
         users.deleted_at)
    is distinct from (excluded.email, excluded.username, excluded.password_hash, excluded.full_name, excluded.status, 0, null, null);

insert into role_assignments (id, user_id, role_id, assigned_by, reason, assigned_at, expires_at, revoked_at, revoked_by, revoke_reason)
select md5('role_assignment:' || username || ':' || role)::uuid, users.id, roles.id,
  case when username <> 'admin' then '20000000-0000-4000-8000-000000000001'::uuid end, reason, today - held_for, today + expires_in,
    today - revoked_ago,
  case when revoked_ago is not null then '20000000-0000-4000-8000-000000000001'::uuid end, revoke_reason
from (values
  ('admin', 'admin', 'set-up', interval '90 days', null::interval, null::interval, null),
  ('officer', 'compliance_officer', 'joined', interval '80 days', null, null, null),
  ('officer', 'analyst', 'helped out', interval '80 days', null, interval '30 days', 'back to compliance'),
  ('analyst', 'analyst', 'joined', interval '70 days', null, null, null),
  ('analyst', 'auditor', 'half-year audit', interval '5 days', interval '180 days', null, null),
  ('test', 'user', 'signed up', interval '60 days', null, null, null),
  ('newcomer', 'user', 'invited', interval '2 days', interval '28 days', null, null)
) as held (username, role, reason, held_for, expires_in, revoked_ago, revoke_reason)
join users using (username)
join roles on roles.name = role
cross join (select created_at as today from users where id = '20000000-0000-4000-8000-000000000001') as calendar
where users.deleted_at is null
on conflict (id) do nothing;
