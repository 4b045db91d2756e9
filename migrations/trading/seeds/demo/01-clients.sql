--! Title: Eight clients with funded accounts
--! Login: client1@example.com / client-demo-only
--! Login: client2@example.com / client-demo-only
--! Login: client3@example.com / client-demo-only
--! Login: client4@example.com / client-demo-only
--! Login: client5@example.com / client-demo-only
--! Login: client6@example.com / client-demo-only
--! Login: client8@example.com / client-demo-only

insert into users (id, email, username, password_hash, full_name, country_code, time_zone, status, kyc_status, email_verified_at, metadata)
select ('22000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'client' || n || '@example.com', 'client' || n,
  '$2b$10$RJKKMbsPni54ZlLBHCf84O3dw.W8zGcPnIZ3mtZfjHmYdGy9L3K9q', full_name, country_code, time_zone,
  case n when 7 then 'suspended' else 'active' end, case n when 6 then 'pending' when 7 then 'expired' else 'approved' end, now(),
  '{"seed": "demo"}'
from (values
  (1, 'Clara Berg', 'SE', 'Europe/Stockholm'),
  (2, 'Marco Conti', 'IT', 'Europe/Rome'),
  (3, 'Yuki Tanaka', 'JP', 'Asia/Tokyo'),
  (4, 'Priya Nair', 'IN', 'Asia/Kolkata'),
  (5, 'Liam Walsh', 'IE', 'Europe/Dublin'),
  (6, 'Sofia Alvarez', 'ES', 'Europe/Madrid'),
  (7, 'Noah Schmid', 'CH', 'Europe/Zurich'),
  (8, 'Emma Roy', 'CA', 'America/Toronto')
) as client (n, full_name, country_code, time_zone)
on conflict (id) do nothing;

insert into user_roles (user_id, role_id, granted_by)
select users.id, roles.id, '20000000-0000-4000-8000-000000000001'
from users join roles on roles.name = 'trader'
where users.metadata ->> 'seed' = 'demo'
on conflict do nothing;

insert into accounts (id, user_id, account_number, name, account_type, status, currency, leverage, position_mode, allow_negative_balance)
select md5('account:' || username)::uuid, id, 'DEMOSET-' || right(username, 1), 'Main',
  case when right(username, 1) in ('3', '6') then 'margin' else 'live' end,
  case status when 'suspended' then 'suspended' else 'active' end, 'USD', 30, 'hedging', right(username, 1) in ('3', '6')
from users where metadata ->> 'seed' = 'demo'
on conflict (id) do nothing;

insert into account_transactions (id, account_id, transaction_type, amount, idempotency_key, description)
select md5('funding:' || accounts.id)::uuid, accounts.id, 'deposit', 20000 + 15000 * right(account_number, 1)::integer, 'demo:funding', 'First deposit'
from accounts join users on users.id = user_id
where users.metadata ->> 'seed' = 'demo'
order by account_number
on conflict (account_id, idempotency_key) do nothing;

insert into client_profiles (id, user_id, category, flow_class, toxicity_score, win_rate, average_holding_seconds, average_trade_notional, trade_count, evaluated_at)
select md5('profile:' || username)::uuid, id, case right(username, 1) when '3' then 'professional' else 'retail' end,
  (array['benign', 'benign', 'toxic', 'mixed'])[1 + right(username, 1)::integer % 4],
  round(0.1 * right(username, 1)::integer, 2), round(0.38 + 0.03 * right(username, 1)::integer, 2), 900 * right(username, 1)::integer,
  12000 + 4000 * right(username, 1)::integer, 40 * right(username, 1)::integer, created_at
from users where metadata ->> 'seed' = 'demo'
on conflict (user_id) do nothing;
