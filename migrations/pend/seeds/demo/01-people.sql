--! Title: 240 people, three administrators
--! Login: director@example.com / staff-demo-only
--! Login: reviewer@example.com / staff-demo-only
--! Login: treasurer@example.com / staff-demo-only
--! Login: investor1@example.com / investor-demo-only
--! Login: investor2@example.com / investor-demo-only
--! Login: investor3@example.com / investor-demo-only
--! Login: investor4@example.com / investor-demo-only
--! Login: investor5@example.com / investor-demo-only
--! Login: investor6@example.com / investor-demo-only

-- Chance is taken from md5, and the day of the first apply is the day all demo data ends on: later files read it from the director's
-- created_at, so that a second apply makes the same rows.
create or replace function pg_temp.draw(seed text) returns numeric
  language sql immutable return ('x' || left(md5(seed), 8))::bit(32)::bigint / 4294967296.0;

insert into admin_users (id, email, full_name, password_hash, role)
values
  ('30000000-0000-4000-8000-000000000001', 'director@example.com', 'Dana Director', '$2b$10$XVyTnApFSMhioiM3k0avieMdYp4Js/RuJyBge0BaJ6AXd0ji3q5du', 'operations'),
  ('30000000-0000-4000-8000-000000000002', 'reviewer@example.com', 'Remy Reviewer', '$2b$10$XVyTnApFSMhioiM3k0avieMdYp4Js/RuJyBge0BaJ6AXd0ji3q5du', 'compliance'),
  ('30000000-0000-4000-8000-000000000003', 'treasurer@example.com', 'Toni Treasurer', '$2b$10$XVyTnApFSMhioiM3k0avieMdYp4Js/RuJyBge0BaJ6AXd0ji3q5du', 'finance')
on conflict (id) do nothing;

-- Six log in with a password, the others with a code to their phone. More join each month.
insert into users (id, phone_hash, email, password_hash, blockchain_address, status, status_reason, referred_by, last_login_at, created_at)
select ('31000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, encode(sha256(('demo:phone:' || n)::bytea), 'hex'),
  case when n <= 6 then format('investor%s@example.com', n) end,
  case when n <= 6 then '$2b$10$faB3qAPlNUa1EoXXIAlDz.jlj3Y6DGNwpeV0hOHxui96j3RQFuQFy' end,
  case when n % 29 <> 28 then '0x' || left(encode(sha256(('demo:wallet:' || n)::bytea), 'hex'), 40) end,
  case when n % 29 = 28 then 'pending' when n % 53 = 52 then 'suspended' else 'active' end,
  case when n % 29 <> 28 and n % 53 = 52 then 'Under review' end,
  case when n > 20 and n % 7 = 0 then ('31000000-0000-4000-8000-' || lpad((n % 20 + 1)::text, 12, '0'))::uuid end,
  case when n % 29 <> 28 then director.created_at - interval '20 days' * pg_temp.draw('demo:login:' || n)::float end,
  director.created_at - interval '360 days' * (1 - power(n / 240.0, 0.7))::float - interval '1 day'
from generate_series(1, 240) as n
cross join (select created_at from admin_users where id = '30000000-0000-4000-8000-000000000001') as director
on conflict (id) do nothing;

insert into user_profiles (user_id, full_name, date_of_birth, country_code, city, occupation, language, time_zone, risk_profile, interests, created_at)
select users.id, given || ' ' || family, (users.created_at at time zone 'UTC')::date - (19 + floor(45 * pg_temp.draw('demo:age:' || n)))::integer * 366, country_code, city,
  (array['Engineer', 'Nurse', 'Teacher', 'Farmer', 'Driver', 'Designer', 'Trader', 'Retired'])[1 + floor(8 * pg_temp.draw('demo:work:' || n))::integer],
  language, time_zone, (array['balanced', 'growth', 'conservative'])[1 + floor(3 * power(pg_temp.draw('demo:risk:' || n), 1.5))::integer],
  array[(array['real_estate', 'renewable_energy', 'agriculture', 'trade_finance', 'infrastructure'])[1 + floor(5 * pg_temp.draw('demo:interest:' || n))::integer]],
  users.created_at
from generate_series(1, 240) as n
join users on users.id = ('31000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid
cross join lateral (
  select (array['Amara', 'Ben', 'Chidi', 'Dina', 'Emil', 'Fatou', 'Goran', 'Hana', 'Ivo', 'Joana', 'Kofi', 'Lena', 'Mateo', 'Nadia', 'Omar', 'Petra'])
      [1 + floor(16 * pg_temp.draw('demo:given:' || n))::integer] as given,
    (array['Adeyemi', 'Bauer', 'Costa', 'Diallo', 'Eriksen', 'Ferreira', 'Garcia', 'Hansen', 'Ivanova', 'Jensen', 'Kamau', 'Lopez', 'Mensah', 'Novak', 'Okafor'])
      [1 + floor(15 * pg_temp.draw('demo:family:' || n))::integer] as family,
    1 + floor(6 * power(pg_temp.draw('demo:country:' || n), 1.4))::integer as place
) as named
join (values
  (1, 'DE', 'Berlin', 'de', 'Europe/Berlin'), (2, 'NG', 'Lagos', 'en', 'Africa/Lagos'), (3, 'PT', 'Lisbon', 'pt', 'Europe/Lisbon'),
  (4, 'GB', 'London', 'en', 'Europe/London'), (5, 'KE', 'Nairobi', 'en', 'Africa/Nairobi'), (6, 'ES', 'Madrid', 'es', 'Europe/Madrid')
) as home (place, country_code, city, language, time_zone) using (place)
where users.status <> 'pending'
on conflict (user_id) do nothing;
