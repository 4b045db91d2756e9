--! Title: Four administrators and seven users
--! Login: admin@example.com / admin-dev-only
--! Login: compliance@example.com / compliance-dev-only
--! Login: finance@example.com / finance-dev-only
--! Login: support@example.com / support-dev-only
--! Login: alice@example.com / alice-dev-only
--! Login: bob@example.com / bob-dev-only
--! Login: carol@example.com / carol-dev-only
--! Login: dave@example.com / dave-dev-only

-- The day of the first apply is the day all dev data ends on: later files read it from the admin's created_at, so that a second apply
-- makes the same rows.
insert into admin_users (id, email, full_name, password_hash, role, created_by)
values
  ('20000000-0000-4000-8000-000000000001', 'admin@example.com', 'Ada Admin',
    '$2b$10$5sk2KLWuFlNjmza9irxlFeveQe6QS/iLgIGguAWLPG04jJE5QmT/e', 'super_admin', null),
  ('20000000-0000-4000-8000-000000000002', 'compliance@example.com', 'Cora Compliance',
    '$2b$10$5jfOZKagu9DzTYNWG6j2EuwFFlFEOVJ4jhZ7FDo9AZShxeZIuc1fC', 'compliance', '20000000-0000-4000-8000-000000000001'),
  ('20000000-0000-4000-8000-000000000003', 'finance@example.com', 'Finn Finance',
    '$2b$10$6yIgVSo.JTfiNzv9sjiiw.Kc9aslXjNHIUq3DQP0XxEZNC2n5pRxS', 'finance', '20000000-0000-4000-8000-000000000001'),
  ('20000000-0000-4000-8000-000000000004', 'support@example.com', 'Sue Support',
    '$2b$10$VV3NZZ6bycEUYe9RjOoT/O0trxrh1BuIvjCr2Q.IgGwyzchlyxJGe', 'support', '20000000-0000-4000-8000-000000000001')
on conflict (id) do update
  set email = excluded.email, password_hash = excluded.password_hash, role = excluded.role, status = 'active', failed_login_attempts = 0,
      locked_until = null, deleted_at = null
  where (admin_users.email, admin_users.password_hash, admin_users.role, admin_users.status, admin_users.failed_login_attempts,
         admin_users.locked_until, admin_users.deleted_at)
    is distinct from (excluded.email, excluded.password_hash, excluded.role, 'active', 0, null, null);

-- Phone numbers are +44 7700 900101 to 900107; the key of their HMAC is pend-dev-only.
insert into users (id, phone_hash, email, password_hash, blockchain_address, status, status_reason, referred_by, created_at)
select ('21000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, phone_hash, email, password_hash,
  case when status <> 'pending' then '0x' || left(encode(sha256(('dev:wallet:' || n)::bytea), 'hex'), 40) end, status, status_reason,
  case when n = 2 then '21000000-0000-4000-8000-000000000001'::uuid end, admin.created_at - make_interval(days => 200 - 20 * n)
from (values
  (1, 'e6eb088130ffd79a92d5094a85c3bfc9200405d01445e40256d98c0dabcc8cb1', 'alice@example.com', '$2b$10$CP8atieV5AvsyIAan2vgeOR98R8LMnhcLgm/ac0PingVSP2U5mwFy', 'active', null),
  (2, '933cfd4b8bb4bf55f308f4dc57feb972f4126c82e1e8577342579995d829c3e5', 'bob@example.com', '$2b$10$XAFc5irMDjJ7DOtFfyhS6.YMX2vDqwm4doqPkjXpubA2jM4DKDHba', 'active', null),
  (3, 'ca57646b29cfbb84eb6e2a43a4d6abd8041e238d92569a223bfb9a5b1abe9a6a', 'carol@example.com', '$2b$10$Dea1PdvkGywd2G.wjWZgB.me4j1WnS3GCErP/tj1RziC4UTe5xCpy', 'active', null),
  (4, 'fa47e17b2cd4ff18a28b0cffda63e720290ac9859f03b6d5b177d7a1d6a8db34', 'dave@example.com', '$2b$10$hZrlLKhOFPlWoEPRblXJ7O19W.3WyZwY.M2xgpdICXc.8vT9BVvcy', 'active', null),
  (5, '7a815c2fdbe809928a60ae239f4649292315b07768006da515bf95c1bc068ce9', 'eve@example.com', '$2b$10$iqyjZdccepwlvz/z2t6e9eos8wHB/7kQFjAJC0wReS3ofhEAtN2wK', 'suspended', 'Papers of somebody else'),
  (6, '3ac3e0e490ad42fe7f18a56eb8fd2e2001200c43dc9e03d6839d690aef90af72', null, null, 'active', null),
  (7, '761603100a55793a5f5e88cae0390a6dfb5d12fac11e36371140923413bac1d1', null, null, 'pending', null)
) as person (n, phone_hash, email, password_hash, status, status_reason)
cross join (select id, created_at from admin_users where id = '20000000-0000-4000-8000-000000000001') as admin
on conflict (id) do update
  set phone_hash = excluded.phone_hash, email = excluded.email, password_hash = excluded.password_hash, status = excluded.status,
      status_reason = excluded.status_reason, failed_login_attempts = 0, locked_until = null, deleted_at = null
  where (users.phone_hash, users.email, users.password_hash, users.status, users.status_reason, users.failed_login_attempts,
         users.locked_until, users.deleted_at)
    is distinct from (excluded.phone_hash, excluded.email, excluded.password_hash, excluded.status, excluded.status_reason, 0, null, null);

insert into user_profiles (user_id, full_name, date_of_birth, country_code, city, address, occupation, time_zone, risk_profile, interests, preferences)
values
  ('21000000-0000-4000-8000-000000000001', 'Alice Archer', '1984-03-12', 'GB', 'Leeds', '{"lines": ["1 Mill Lane"], "postal_code": "LS1 1AA"}',
    'Engineer', 'Europe/London', 'growth', '{real_estate,renewable_energy}', '{"currency": "GBP", "notifications": {"email": true}}'),
  ('21000000-0000-4000-8000-000000000002', 'Bob Brandt', '1990-07-30', 'DE', 'Hamburg', '{"lines": ["Elbchaussee 5"], "postal_code": "22765"}',
    'Teacher', 'Europe/Berlin', 'balanced', '{renewable_energy}', '{"currency": "EUR"}'),
  ('21000000-0000-4000-8000-000000000003', 'Carol Costa', '1978-11-02', 'PT', 'Porto', null, 'Baker', 'Europe/Lisbon', 'conservative', '{agriculture}', '{}'),
  ('21000000-0000-4000-8000-000000000004', 'Dave Dorsey', '2001-01-19', 'IE', 'Cork', null, null, 'Europe/Dublin', 'balanced', '{}', '{}'),
  ('21000000-0000-4000-8000-000000000005', 'Eve Eriksen', '1995-05-05', 'NO', 'Bergen', null, null, 'Europe/Oslo', 'growth', '{}', '{}'),
  ('21000000-0000-4000-8000-000000000006', 'Femi Falana', '1988-09-23', 'NG', 'Lagos', null, 'Trader', 'Africa/Lagos', 'growth', '{trade_finance}', '{}')
on conflict (user_id) do nothing;
