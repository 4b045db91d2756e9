--! Title: Four users with roles
--! Login: admin@example.com / admin-dev-only
--! Login: trader1@example.com / trader1-dev-only
--! Login: trader2@example.com / trader2-dev-only
--! Login: demo@example.com / demo-dev-only

-- The day of the first apply is the day all dev and demo data ends on: later files read it from the admin's created_at, so that a
-- second apply makes the same rows.
insert into users (id, email, username, password_hash, full_name, phone, country_code, time_zone, status, kyc_status, email_verified_at, metadata)
values
  ('20000000-0000-4000-8000-000000000001', 'admin@example.com', 'admin',
    '$2b$10$H7jqDpCxo.XPid5./q.3euQgm3DxzPXUGJotv6NLzg0JLdXgWNciK', 'Ada Admin', null, 'GB', 'Europe/London',
    'active', 'approved', now(), '{"department": "operations"}'),
  ('20000000-0000-4000-8000-000000000002', 'trader1@example.com', 'trader1',
    '$2b$10$CIfVypQjpASfZtXnI8h5VODuRIKTgBJnadjlS6O.tlSMjpjh6ZdB6', 'Tom Trader', '+442071838750', 'GB', 'Europe/London',
    'active', 'approved', now(), '{"referral": "web", "newsletter": true}'),
  ('20000000-0000-4000-8000-000000000003', 'trader2@example.com', 'trader2',
    '$2b$10$8POf74chWCmtNwoa4GZvfOMU4xCFsFjVtryH56YQ.C2CMwY146PD.', 'Tina Trader', '+4930901820', 'DE', 'Europe/Berlin',
    'active', 'approved', now(), '{"referral": "partner", "desk": "crypto"}'),
  ('20000000-0000-4000-8000-000000000004', 'demo@example.com', 'demo',
    '$2b$10$HE/6DXwzewUuPY2GifWmVuV42149OTzhV9acA8DhdWnBcgiCzF522', 'Dan Demo', null, 'FR', 'Europe/Paris',
    'active', 'not_started', now(), '{}')
on conflict (id) do update
  set email = excluded.email, username = excluded.username, password_hash = excluded.password_hash, full_name = excluded.full_name,
      status = excluded.status, failed_login_attempts = 0, locked_until = null, deleted_at = null
  where (users.email, users.username, users.password_hash, users.full_name, users.status, users.failed_login_attempts,
         users.locked_until, users.deleted_at)
    is distinct from (excluded.email, excluded.username, excluded.password_hash, excluded.full_name, excluded.status, 0, null, null);

insert into user_roles (user_id, role_id, granted_by)
select users.id, roles.id, '20000000-0000-4000-8000-000000000001'
from (values
  ('admin', 'admin'), ('admin', 'risk_manager'), ('admin', 'compliance_officer'),
  ('trader1', 'trader'), ('trader2', 'trader'), ('demo', 'viewer')
) as held (username, role)
join users on users.username = held.username and users.deleted_at is null
join roles on roles.name = held.role
on conflict do nothing;

insert into client_profiles (id, user_id, category, flow_class, preferred_book, toxicity_score, win_rate, average_holding_seconds,
  average_trade_notional, trade_count, evaluated_at)
values
  ('21000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000002', 'retail', 'benign', null, 0.18, 0.46, 14400, 62000, 412, now()),
  ('21000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000003', 'professional', 'toxic', 'a_book', 0.81, 0.63, 240, 185000, 3920, now()),
  ('21000000-0000-4000-8000-000000000004', '20000000-0000-4000-8000-000000000004', 'retail', 'unrated', null, null, null, null, null, 0, null)
on conflict (user_id) do nothing;
