-- Volume for benchmarks, scaled by the setting pgroundwork.volume_rows. The main table is transactions: exactly that many. For each
-- transaction there are about 0.6 blockchain events, 0.5 rows of API usage, 0.24 contract interactions, 0.2 investments and 0.23 agreements,
-- 0.1 rows of system logs and of metrics each, 0.08 KYC applications, 0.07 documents, 0.05 users and rows of admin_logs each, and 0.01 assets;
-- 20 users and assets at least, and ten administrators. A few people and assets make most of the traffic, as in life: of 10,000 assets the
-- busiest has a thirty-fifth of all investments, of 50,000 users the busiest a hundredth of them, and a 130th of all transactions.
--
-- Runs as the migrator on a database with migrations and reference seeds, each file in one transaction. The same on every machine and
-- day: money moves in 2024 and 2025, and chance is taken from md5. Nobody can log in.
--
-- The tables' own triggers are off within the transaction: they would write each asset a second time, into admin_logs, and move raised
-- amounts and KYC levels row by row. Rows are inserted as the triggers would have left them; the last file checks that with
-- integrity_findings().

create or replace function pg_temp.draw(digest text, nth integer) returns double precision
  language sql immutable
  return ('x' || substr(digest, nth * 8 - 7, 8))::bit(32)::bigint::double precision / 4294967296;
comment on function pg_temp.draw(text, integer) is 'A number from 0 to below 1, one of the four (1 to 4) in an md5 digest.';

alter table admin_users disable trigger user;
alter table users disable trigger user;
alter table user_profiles disable trigger user;
alter table kyc_applications disable trigger user;
alter table kyc_documents disable trigger user;

insert into admin_users (id, email, full_name, password_hash, role, password_changed_at, created_at, updated_at)
select md5('volume:admin:' || n)::uuid, format('admin.%s@volume.example.com', n), 'Administrator ' || n, '$2b$10$' || repeat('.', 53),
  (array['viewer', 'operations', 'compliance', 'finance', 'support'])[1 + n % 5], timestamptz '2023-01-01 00:00:00+00',
  timestamptz '2023-01-01 00:00:00+00', timestamptz '2023-01-01 00:00:00+00'
from generate_series(1, 10) as n;

-- Every hundredth joined last and is pending. Three in twenty are not known at all; the others reached a level of KYC, and its tier.
create temporary table volume_users on commit drop as
select n, md5('volume:user:' || n)::uuid as id, digest, timestamptz '2023-01-01 00:00:00+00' + interval '1090 days' * n / users_count as joined_at,
  case when n > users_count * 0.99 then 'pending' when n % 200 = 199 then 'closed' when n % 50 = 49 then 'suspended' else 'active' end as status,
  case when n > users_count * 0.99 or n % 20 < 3 then 0 when pg_temp.draw(digest, 1) < 0.4 then 1 when pg_temp.draw(digest, 1) < 0.82 then 2 else 3 end as kyc_level,
  n % 20 >= 3 and n > users_count * 0.95 and n <= users_count * 0.99 as is_applying
from (select greatest(20, current_setting('pgroundwork.volume_rows')::bigint / 20) as users_count) as scale
cross join generate_series(1, users_count) as n
cross join lateral (select md5('volume:user:draw:' || n) as digest) as chance;

insert into users (id, legacy_id, phone_hash, email, blockchain_address, tier_code, kyc_level, status, status_reason, referred_by, failed_login_attempts,
  locked_until, last_login_at, created_at, updated_at, deleted_at)
select id, case when n % 2 = 0 then 'volume-' || n end, case when status <> 'closed' then md5('volume:phone:' || n) || md5('volume:phone:more:' || n) end,
  case when status <> 'closed' and n % 3 = 0 then format('user.%s@volume.example.com', n) end,
  case when status <> 'pending' then '0x' || md5('volume:wallet:' || n) || left(md5('volume:wallet:more:' || n), 8) end,
  case when kyc_level = 3 and n % 10 = 3 then 'institutional' else (array['basic', 'verified', 'plus', 'premium'])[1 + kyc_level] end, kyc_level, status,
  case when status = 'suspended' then 'Under review' end, case when n > 100 and n % 5 = 0 then md5('volume:user:' || 1 + floor(100 * pg_temp.draw(digest, 2))::integer)::uuid end,
  case when n % 300 = 7 then 5 else 0 end, case when n % 300 = 7 then timestamptz '2026-01-01 00:00:00+00' end,
  greatest(joined_at, timestamptz '2025-12-31 00:00:00+00' - interval '90 days' * power(pg_temp.draw(digest, 3), 2)), joined_at, joined_at,
  case when status = 'closed' then timestamptz '2026-01-01 00:00:00+00' end
from volume_users
order by n;

insert into user_profiles (user_id, full_name, date_of_birth, country_code, city, risk_profile, interests, created_at, updated_at)
select id, initcap(given || ' ' || family), (joined_at at time zone 'UTC')::date - 7000 - floor(16000 * pg_temp.draw(digest, 4))::integer,
  (array['NG', 'DE', 'PT', 'GB', 'KE', 'ES', 'GH', 'FR', 'IE', 'NO'])[place], (array['Lagos', 'Berlin', 'Lisbon', 'London', 'Nairobi', 'Madrid', 'Accra', 'Lyon', 'Cork', 'Oslo'])[place],
  (array['balanced', 'growth', 'conservative'])[1 + n % 3],
  array[(array['real_estate', 'renewable_energy', 'agriculture', 'trade_finance', 'private_credit', 'infrastructure', 'commodity'])[1 + n % 7]], joined_at, joined_at
from volume_users
cross join lateral (
  select 1 + floor(10 * power(pg_temp.draw(md5(digest), 4), 2))::integer as place,
    (array['amara', 'ben', 'chidi', 'dina', 'emil', 'fatou', 'goran', 'hana', 'ivo', 'joana', 'kofi', 'lena', 'mateo', 'nadia', 'omar', 'petra'])
      [1 + floor(16 * pg_temp.draw(md5(digest), 1))::integer] as given,
    (array['bar', 'cor', 'dan', 'fel', 'gar', 'hol', 'kem', 'lan', 'mor', 'nor', 'pet', 'ros', 'sal', 'tor', 'val', 'wes'])
      [1 + floor(16 * pg_temp.draw(md5(digest), 2))::integer]
    || (array['ber', 'den', 'feld', 'ger', 'hof', 'ker', 'ling', 'man', 'ner', 'rich', 'sen', 'son', 'stein', 'ton', 'well', 'wood'])
      [1 + floor(16 * pg_temp.draw(md5(digest), 3))::integer] as family
) as person
where status in ('active', 'suspended')
order by n;

insert into kyc_applications (id, user_id, level, status, risk_rating, provider, provider_reference, submitted_at, reviewed_by, reviewed_at, valid_until,
  created_at, updated_at)
select md5(format('volume:kyc:%s:%s', n, step))::uuid, id, step, application.status,
  case when application.status = 'approved' then (array['low', 'medium', 'high'])[1 + floor(3 * power(pg_temp.draw(digest, 2), 2.5))::integer] end,
  'volume', n || ':' || step, begun + interval '30 minutes', case when application.status <> 'submitted' then md5('volume:admin:' || 2 + 5 * (n % 2))::uuid end,
  case when application.status = 'approved' then begun + interval '20 hours' end, case when application.status = 'approved' then begun + interval '3 years' end, begun,
  begun + interval '20 hours'
from volume_users
cross join generate_series(1, least(3, kyc_level + is_applying::integer)) as step
cross join lateral (
  select case when step <= kyc_level then 'approved' when n % 3 = 0 then 'in_review' else 'submitted' end as status, joined_at + interval '2 days' * step as begun
) as application
order by begun, n, step;

insert into kyc_documents (id, application_id, document_type, storage_key, sha256, mime_type, size_bytes, issuing_country, expires_on, status, verified_by,
  verified_at, uploaded_at, updated_at)
select md5(format('volume:document:%s:%s', application.id, document_type))::uuid, application.id, document_type,
  format('volume/%s/%s', application.id, document_type), md5(application.id || document_type) || md5(document_type || application.id), 'image/jpeg',
  200000 + ('x' || left(md5(application.id::text), 5))::bit(20)::integer, case document_type when 'passport' then 'NG' end,
  case document_type when 'passport' then date '2031-01-01' end, case application.status when 'approved' then 'accepted' else 'pending' end,
  case application.status when 'approved' then reviewed_by end, reviewed_at, application.created_at, application.created_at
from kyc_applications as application
join (values ('passport', 2), ('selfie', 2), ('residence_proof', 3), ('source_of_funds', 3)) as paper (document_type, of_level) on of_level = level
where provider = 'volume'
order by application.created_at, application.id, document_type;

alter table admin_users enable trigger user;
alter table users enable trigger user;
alter table user_profiles enable trigger user;
alter table kyc_applications enable trigger user;
alter table kyc_documents enable trigger user;

analyze admin_users, users, user_profiles, kyc_applications, kyc_documents;
