-- Volume for benchmarks, scaled by the setting pgroundwork.volume_rows. The main table is businesses: exactly that many. For each business
-- there are about 2.2 compliance checks, 1.4 assessments, 1.2 calls to other services, 1 classification, 0.7 rows of audit and 0.2 webhook
-- events; 0.001 users, but 20 at least, two in three of them with an API key and one in five with a webhook. A few customers, countries and
-- industries make most of the businesses, as in life: of 1,000 users the busiest entered a tenth of all, the largest country has a third.
--
-- Runs as the migrator on a database with migrations and reference seeds, each file in one transaction. The same on every machine and
-- day: the years are 2023 to 2025, and chance is taken from md5. Nobody can log in.
--
-- The tables' own triggers are off within the transaction: they would write each row a second time, into the audit, and count each
-- business's compliance anew for each of its checks. Rows are inserted as the triggers would have left them; integrity_findings() finds none.
--
-- OFFSET 0 keeps a subquery whole: merged into the one around it, each of its expressions would be computed anew wherever it is used.

create or replace function pg_temp.draw(digest text, nth integer) returns double precision
  language sql immutable
  return ('x' || substr(digest, nth * 8 - 7, 8))::bit(32)::bigint::double precision / 4294967296;
comment on function pg_temp.draw(text, integer) is 'A number from 0 to below 1, one of the four (1 to 4) in an md5 digest.';

create or replace function pg_temp.pick(choices text[], place double precision) returns text
  language sql immutable
  return choices[1 + floor(cardinality(choices) * place)::integer];
comment on function pg_temp.pick(text[], double precision) is 'One of the choices by a number from 0 to below 1.';

alter table users disable trigger user;
alter table role_assignments disable trigger user;
alter table api_keys disable trigger user;
alter table api_key_permissions disable trigger user;
alter table businesses disable trigger user;

-- One in twenty is an analyst, those with the lowest numbers; the others are customers.
insert into users (id, email, username, password_hash, full_name, company, status, email_verified_at, last_login_at, password_changed_at, created_at,
  updated_at)
select md5('volume:user:' || n)::uuid, format('%s.%s.%s@example.com', given, family, n), 'volume' || n, '$2b$10$' || repeat('.', 53),
  initcap(given || ' ' || family), case when n <= users_count / 20 then 'KYB Platform' else initcap(family) || ' Payments' end,
  case when n % 25 = 0 then 'suspended' else 'active' end, joined_at + interval '10 minutes',
  timestamptz '2025-12-31 00:00:00+00' - interval '60 days' * power(pg_temp.draw(digest, 3), 2), joined_at, joined_at, joined_at
from (select greatest(20, current_setting('pgroundwork.volume_rows')::bigint / 1000) as users_count) as scale
cross join generate_series(1, users_count) as n
cross join lateral (select md5('volume:user:draw:' || n) as digest offset 0) as chance
cross join lateral (
  select timestamptz '2022-01-01 00:00:00+00' + interval '330 days' * n / users_count as joined_at,
    pg_temp.pick('{anna,bruno,carmen,david,elena,felix,grace,hugo,ines,jan}', pg_temp.draw(digest, 1)) as given,
    pg_temp.pick('{adler,brandt,costa,dubois,evans,fischer,garcia,hansen,ito,jensen}', pg_temp.draw(digest, 2)) as family
) as person;

insert into role_assignments (id, user_id, role_id, reason, assigned_at, created_at)
select md5('volume:role_assignment:' || users.id)::uuid, users.id, roles.id, 'volume', users.created_at, users.created_at
from users
join roles on roles.name = case when users.company = 'KYB Platform' then 'analyst' else 'user' end
where username ~ '^volume\d+$';

insert into api_keys (id, user_id, name, key_prefix, key_hash, request_count, last_used_at, expires_at, revoked_at, revoke_reason, created_at,
  updated_at)
select md5('volume:api_key:' || n)::uuid, users.id, 'Integration', 'volume' || lpad(n::text, 8, '0'),
  encode(sha256(convert_to('volume' || n, 'UTF8')), 'hex'), n * 97,
  timestamptz '2025-12-31 00:00:00+00' - make_interval(mins => (n % 5000)::integer),
  case when n % 4 = 0 then timestamptz '2026-06-30 00:00:00+00' end,
  case when n % 30 = 2 then timestamptz '2025-12-30 00:00:00+00' end, case when n % 30 = 2 then 'rotated' end, users.created_at, users.created_at
from generate_series(1, greatest(20, current_setting('pgroundwork.volume_rows')::bigint / 1000)) as n
join users on users.id = md5('volume:user:' || n)::uuid
where n % 3 > 0;

insert into api_key_permissions (api_key_id, permission_id, created_at)
select api_keys.id, permissions.id, api_keys.created_at
from api_keys
join permissions on permissions.name in ('business:create', 'business:read_own')
where key_prefix ~ '^volume\d+$';

insert into businesses (id, legal_name, trade_name, registration_country, registration_number, tax_id, legal_form, founded_on, employee_count,
  annual_revenue, revenue_currency, contact_email, website_url, city, postal_code, country_code, status, status_reason, compliance_status,
  risk_score, risk_level, risk_assessed_at, next_review_at, created_by, assigned_to, submitted_at, verified_at, closed_at, metadata, created_at,
  updated_at)
select id, format('%s %s %s', initcap(word), activity, suffix), case when n % 3 > 0 then initcap(word) end, country, 'V' || lpad(n::text, 10, '0'),
  country || lpad((n * 7919 % 1000000000)::text, 9, '0'),
  case suffix when 'AG' then 'public_company' when 'Partners' then 'partnership' else 'limited_company' end,
  date '1970-01-01' + (n * 17 % 18000)::integer, employees, round((40000 * employees * (0.5 + pg_temp.draw(money_digest, 1)))::numeric, 2),
  case country when 'US' then 'USD' when 'GB' then 'GBP' else 'EUR' end, 'office@' || word || n || '.example', 'https://' || word || n || '.example',
  city, lpad((n * 31 % 100000)::text, 5, '0'), country, status,
  case status when 'suspended' then 'A check failed' when 'rejected' then 'Too risky' when 'closed' then 'Ceased trading' end, compliance_status,
  risk_score,
  case when risk_score < 25 then 'low' when risk_score < 50 then 'medium' when risk_score < 75 then 'high' when risk_score <= 100 then 'critical' end,
  case when risk_score is not null then assessed_at end,
  case when risk_score is not null then assessed_at + make_interval(days => case when risk_score < 50 then 365 else 180 end) end,
  md5('volume:user:' || analysts + 1 + floor((users_count - analysts) * power(pg_temp.draw(digest, 4), 3))::bigint)::uuid,
  case when status <> 'draft' then md5('volume:user:' || 1 + floor(analysts * power(pg_temp.draw(money_digest, 2), 2))::bigint)::uuid end,
  case when status <> 'draft' then created_at + interval '1 hour' end,
  case when status in ('active', 'suspended', 'closed') then created_at + interval '2 days' end,
  case when status = 'closed' then created_at + interval '20 days' end,
  jsonb_build_object('source', 'volume', 'channel', (array['api', 'api', 'form', 'import'])[1 + n % 4], 'batch', n / 1000), created_at,
  case when status = 'draft' then created_at else assessed_at + interval '2 days' end
from (
  -- Drafts and those that wait are young; drafts are not assessed, and nobody active or closed is critical.
  select *,
    case when status = 'active' and created_at < timestamptz '2025-06-01 00:00:00+00' and n % 2 = 0 then created_at + interval '180 days'
      else created_at + interval '6 hours' end as assessed_at,
    case status when 'draft' then null when 'rejected' then round((40 + 60 * pg_temp.draw(risk_digest, 1))::numeric, 2)
      else round((74.9 * power(pg_temp.draw(risk_digest, 1), 1.6))::numeric, 2) end as risk_score,
    case status
      when 'draft' then 'not_checked'
      when 'closed' then 'compliant'
      when 'suspended' then 'non_compliant'
      when 'rejected' then case when compliance_draw < 0.7 then 'non_compliant' else 'compliant' end
      when 'pending_review' then case when compliance_draw < 0.3 then 'under_review' else 'pending' end
      else case when compliance_draw < 0.94 then 'compliant' when compliance_draw < 0.98 then 'pending' else 'under_review' end
    end as compliance_status
  from (
    select n, id, digest, risk_digest, money_digest, users_count, analysts, created_at, pg_temp.draw(risk_digest, 2) as compliance_draw,
      pg_temp.pick('{kro,lim,ven,tas,mor,pel,dun,sib,rag,hol,fen,wes,nim,cal,bor,jut}', pg_temp.draw(digest, 1))
        || pg_temp.pick('{"","",ba,di,go,hu,ke,lo,mi,pa,que,ri,sto,thu,vy,zen}', pg_temp.draw(more_digest, 2))
        || pg_temp.pick('{adin,etor,ison,onal,umen,aris,elia,ocra,upin,ylon,ertis,ovan,ikar,uleth}', pg_temp.draw(name_digest, 1))
        || pg_temp.pick('{a,ex,um,is,or,ia,on,us}', pg_temp.draw(name_digest, 2)) as word,
      pg_temp.pick('{Trading,Foods,Systems,Capital,Works,Consulting,Logistics,Retail,Energy,Health,Media,Foundry,Travel,Textiles,Robotics}',
        power(pg_temp.draw(name_digest, 3), 2)) as activity,
      pg_temp.pick('{Ltd,GmbH,Inc,SAS,BV,AG,Partners}', power(pg_temp.draw(name_digest, 4), 2)) as suffix,
      pg_temp.pick('{US,GB,DE,FR,NL,ES,IT,PL,SE,SG,AE,CY}', power(pg_temp.draw(digest, 2), 2.2)) as country,
      pg_temp.pick('{Northport,Easton,Westbrook,Millfield,Ashford,Kingsbury,Oakdale,Riverton}', pg_temp.draw(more_digest, 3)) as city,
      1 + floor(2000 * power(pg_temp.draw(more_digest, 1), 6))::integer as employees,
      case
        when n > count * 49 / 50 then case when status_draw < 0.3 then 'draft' when status_draw < 0.8 then 'pending_review' else 'active' end
        when status_draw < 0.84 then 'active'
        when status_draw < 0.92 then 'rejected'
        when status_draw < 0.94 then 'suspended'
        else 'closed' end as status
    from (
      select current_setting('pgroundwork.volume_rows')::bigint as count, users_count, greatest(3, users_count / 20) as analysts
      from (select greatest(20, current_setting('pgroundwork.volume_rows')::bigint / 1000) as users_count) as people
    ) as scale
    cross join generate_series(1, count) as n
    cross join lateral (
      select md5('volume:business:' || n)::uuid as id, md5('volume:business:draw:' || n) as digest, md5('volume:business:name:' || n) as name_digest,
        md5('volume:business:more:' || n) as more_digest, md5('volume:business:risk:' || n) as risk_digest,
        md5('volume:business:money:' || n) as money_digest, pg_temp.draw(md5('volume:business:draw:' || n), 3) as status_draw,
        timestamptz '2023-01-02 00:00:00+00' + interval '1090 days' * (n - 1) / count as created_at
      offset 0
    ) as chances
    offset 0
  ) as drawn
  offset 0
) as decided
order by n;

alter table users enable trigger user;
alter table role_assignments enable trigger user;
alter table api_keys enable trigger user;
alter table api_key_permissions enable trigger user;
alter table businesses enable trigger user;

analyze users, role_assignments, api_keys, api_key_permissions, businesses;
