--! Title: Three analysts and five customers
--! Login: mira@example.com / demo-only
--! Login: jonas@example.com / demo-only
--! Login: aiko@example.com / demo-only
--! Login: customer1@example.com / demo-only
--! Login: customer2@example.com / demo-only
--! Login: customer3@example.com / demo-only
--! Login: customer4@example.com / demo-only
--! Login: customer5@example.com / demo-only

insert into users (id, email, username, password_hash, full_name, company, status, email_verified_at, created_at, updated_at, metadata)
select ('22000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, username || '@example.com', username,
  '$2b$10$/6wWjvoO3PWCBnef.L5m/OHz0Qu3EyQ52HRj7DGtqTobF1HDIItDi', full_name, company, 'active', today - interval '400 days',
    today - interval '400 days',
  today, '{"seed": "demo"}'
from (values
  (1, 'mira', 'Mira Lindqvist', 'KYB Platform'),
  (2, 'jonas', 'Jonas Keller', 'KYB Platform'),
  (3, 'aiko', 'Aiko Mori', 'KYB Platform'),
  (4, 'customer1', 'Carla Vance', 'PayLane'),
  (5, 'customer2', 'Ben Okafor', 'Marketwise'),
  (6, 'customer3', 'Irene Costa', 'LendBridge'),
  (7, 'customer4', 'Ravi Menon', 'Cargopoint'),
  (8, 'customer5', 'Hanna Virtanen', 'Nordic Acquiring')
) as person (n, username, full_name, company)
cross join (select created_at as today from users where id = '20000000-0000-4000-8000-000000000001') as calendar
on conflict (id) do nothing;

insert into role_assignments (id, user_id, role_id, assigned_by, reason, assigned_at)
select md5('role_assignment:demo:' || username)::uuid, users.id, roles.id, '20000000-0000-4000-8000-000000000001', 'demo', users.created_at
from users join roles on roles.name = case when username like 'customer%' then 'user' else 'analyst' end
where users.id::text like '22000000-0000-4000-8000-%'
on conflict (id) do nothing;

insert into api_keys (id, user_id, name, key_prefix, key_hash, environment, rate_limit_per_minute, request_count, last_used_at, created_at,
  updated_at)
select md5('api_key:' || username)::uuid, id, company || ' production', 'demo' || username,
  encode(sha256(convert_to('kyb_demo_' || username, 'UTF8')), 'hex'),
  'live', 300, 1000 * right(username, 1)::integer, today - interval '10 minutes', created_at, today
from users
cross join (select created_at as today from users where id = '20000000-0000-4000-8000-000000000001') as calendar
where id::text like '22000000-0000-4000-8000-%' and username like 'customer%'
on conflict (id) do nothing;

insert into api_key_permissions (api_key_id, permission_id)
select api_keys.id, permissions.id
from api_keys join permissions on permissions.name in ('business:create', 'business:read_own')
where key_prefix like 'democustomer_'
on conflict do nothing;

insert into webhooks (id, user_id, name, url, event_types, secret_ciphertext, last_success_at, created_at, updated_at)
select md5('webhook:' || username)::uuid, id, company, 'https://' || username || '.example/kyb',
  '{business.activated,business.rejected,risk.assessed}',
  sha256(convert_to('demo ciphertext ' || username, 'UTF8')), today - interval '1 hour', created_at, today
from users
cross join (select created_at as today from users where id = '20000000-0000-4000-8000-000000000001') as calendar
where id::text like '22000000-0000-4000-8000-%' and username like 'customer%'
on conflict (id) do nothing;
