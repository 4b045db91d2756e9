--! Title: A year's 300 businesses of every industry, with what was found out about them

-- As they stand today, which they did not reach step by step: the guards of the application's way stand aside for this transaction.
set local app.maintenance = 'on';

create or replace function pg_temp.draw(digest text, nth integer) returns double precision
  language sql immutable
  return ('x' || substr(digest, nth * 8 - 7, 8))::bit(32)::bigint::double precision / 4294967296;

-- Everything about a business that its rows in five tables share. The industry's risk weighs in the score; the score and chance decide
-- what became of it. Known for a year at most, the newest since yesterday.
create temporary table demo_businesses on commit drop as
select *, case when risk_score < 25 then 'low' when risk_score < 50 then 'medium' when risk_score < 75 then 'high' else 'critical' end as risk_level,
  case when status in ('active', 'suspended') and since < today - interval '200 days' then since + interval '150 days'
    else since + interval '6 hours' end as assessed_at
from (
  select *,
    case
      when is_prohibited or risk_score >= 75 then 'rejected'
      when since > today - interval '12 days' then case when chance < 0.3 then 'draft' else 'pending_review' end
      when chance < 0.04 then 'closed' when chance < 0.09 then 'suspended' when chance < 0.13 then 'rejected' else 'active' end as status
  from (
    select n, md5('demo:business:' || n)::uuid as id, pg_temp.draw(digest, 1) as chance, code_system, code as industry_code, is_prohibited, today,
      (array['Alder', 'Beacon', 'Cobalt', 'Delta', 'Ember', 'Falcon', 'Granite', 'Horizon', 'Indigo', 'Juniper', 'Keystone', 'Lumen',
          'Maple', 'Nimbus', 'Orchard', 'Pioneer', 'Quarry', 'Riverside', 'Summit', 'Tidal', 'Union', 'Vertex', 'Willow', 'Zenith'])
          [1 + floor(24 * pg_temp.draw(digest, 2))::integer] || ' '
        || (array['Trading', 'Foods', 'Systems', 'Capital', 'Works', 'Partners', 'Holdings', 'Labs', 'Logistics', 'Retail', 'Energy', 'Health'])
          [1 + floor(12 * pg_temp.draw(digest, 3))::integer] as name,
      (array['GB', 'DE', 'US', 'FR', 'NL', 'SE', 'PL', 'SG', 'AE', 'CY'])[1 + floor(10 * power(pg_temp.draw(digest, 4), 2))::integer] as country,
      round(least(99, greatest(2,
        case inherent_risk when 'low' then 8 when 'medium' then 26 else 44 end + 40 * power(pg_temp.draw(more_digest, 1), 2)))::numeric, 2) as risk_score,
      round((1000 * exp(4 + 9 * pg_temp.draw(more_digest, 2)))::numeric, -2) as annual_revenue,
      1 + floor(800 * power(pg_temp.draw(more_digest, 3), 4))::integer as employees,
      today - interval '1 day' - interval '364 days' * (300 - n) / 300 as since
    from generate_series(1, 300) as n
    cross join lateral (select md5('demo:business:draw:' || n) as digest, md5('demo:business:more:' || n) as more_digest) as chances
    join lateral (
      select * from industry_codes where code_system = 'NAICS'
      order by code offset n * 11 % (select count(*) from industry_codes where code_system = 'NAICS') limit 1
    ) as industry on true
    cross join (select created_at as today from users where id = '20000000-0000-4000-8000-000000000001') as calendar
  ) as drawn
) as decided;

-- One check went wrong where the business was refused, another waits for a person where it is being looked into.
create temporary table demo_checks on commit drop as
select demo_businesses.id as business_id, n, check_type, provider, since + interval '2 hours' * position as asked_at, today,
  case
    when status in ('rejected', 'suspended') and position = 1 + n % 5 then 'failed'
    when status = 'pending_review' and position = 1 + n % 5 then (array['pending', 'in_progress', 'needs_review'])[1 + n % 3]
    else 'passed' end as status
from demo_businesses
cross join (values (1, 'registry', 'OpenRegisters'), (2, 'sanctions', 'ListWatch'), (3, 'pep', 'ListWatch'),
  (4, 'beneficial_owners', 'OpenRegisters'), (5, 'adverse_media', 'NewsSift')) as usual (position, check_type, provider)
where status <> 'draft';

insert into businesses (id, legal_name, trade_name, registration_country, registration_number, legal_form, founded_on, employee_count, annual_revenue,
  revenue_currency, contact_email, website_url, city, country_code, status, status_reason, compliance_status, risk_score, risk_level,
  risk_assessed_at, next_review_at, created_by, assigned_to, submitted_at, verified_at, closed_at, metadata, created_at, updated_at)
select demo_businesses.id, format('%s %s %s', name, n, case country when 'DE' then 'GmbH' when 'FR' then 'SAS' when 'US' then 'Inc'
  when 'NL' then 'BV' else 'Ltd' end),
  name, country, 'D' || lpad((n * 104729)::text, 9, '0'), (array['limited_company', 'limited_company', 'limited_company', 'public_company',
    'partnership', 'sole_proprietor'])[1 + n % 6],
  date '1975-01-01' + n * 53, employees, annual_revenue, case country when 'US' then 'USD' when 'GB' then 'GBP' else 'EUR' end,
  'office@' || lower(replace(name, ' ', '-')) || '-' || n || '.example', 'https://' || lower(replace(name, ' ', '-')) || '-' || n || '.example',
  case country when 'GB' then 'London' when 'DE' then 'Berlin' when 'US' then 'New York' when 'FR' then 'Paris' end, country, demo_businesses.status,
  case demo_businesses.status when 'rejected' then case when is_prohibited then 'The industry is prohibited' else 'Too risky' end
    when 'suspended' then 'A check failed'
    when 'closed' then 'Ceased trading' end,
  case when demo_businesses.status = 'draft' then 'not_checked' when demo_businesses.status in ('rejected', 'suspended') then 'non_compliant'
    when demo_businesses.status = 'pending_review' and n % 3 = 2 then 'under_review' when demo_businesses.status = 'pending_review' then 'pending'
      else 'compliant' end,
  case when demo_businesses.status <> 'draft' then risk_score end, case when demo_businesses.status <> 'draft' then risk_level end,
  case when demo_businesses.status <> 'draft' then assessed_at end,
  case when demo_businesses.status <> 'draft' then assessed_at + interval '180 days' end,
  ('22000000-0000-4000-8000-' || lpad((4 + n % 5)::text, 12, '0'))::uuid,
  case when demo_businesses.status <> 'draft' then ('22000000-0000-4000-8000-' || lpad((1 + n % 3)::text, 12, '0'))::uuid end,
  case when demo_businesses.status <> 'draft' then since + interval '1 hour' end,
  case when demo_businesses.status in ('active', 'suspended', 'closed') then since + interval '2 days' end,
  case when demo_businesses.status = 'closed' then today - interval '5 days' end,
  jsonb_build_object('source', 'demo', 'channel', (array['api', 'form', 'import'])[1 + n % 3]), since, today
from demo_businesses
on conflict (id) do nothing;

insert into business_classifications (id, business_id, code_system, industry_code, confidence_score, method, source, is_primary, classified_at)
select md5('demo:classification:' || n)::uuid, id, code_system, industry_code, round((0.55 + 0.44 * chance)::numeric, 4),
  (array['model', 'registry', 'keyword'])[1 + n % 3], (array['industry-model-3', 'company register', 'words-1'])[1 + n % 3], true,
    since + interval '2 hours'
from demo_businesses
on conflict (id) do nothing;

insert into risk_assessments (id, business_id, assessment_type, model_version, risk_score, risk_level, risk_factors, assessed_at, valid_until,
  superseded_at)
select md5(format('demo:assessment:%s:%s', n, kind))::uuid, id, kind, version, score,
  case when score < 25 then 'low' when score < 50 then 'medium' when score < 75 then 'high' else 'critical' end,
  jsonb_build_array(
    jsonb_build_object('factor', 'industry', 'weight', 0.5, 'score', least(100, score + 10), 'detail', code_system || ' ' || industry_code),
    jsonb_build_object('factor', case when country in ('AE', 'CY') then 'high_risk_country' else 'geography' end, 'weight', 0.2, 'score',
      greatest(0, score - 10), 'detail', country),
    jsonb_build_object('factor', case when score >= 75 then 'sanctions_match' when score >= 50 then 'cash_intensity' else 'age_of_business' end,
      'weight', 0.3, 'score', score, 'detail', '')),
  made_at, made_at + interval '180 days', replaced_at
from demo_businesses
cross join lateral (
  select 'onboarding' as kind, '2.3' as version, least(99, risk_score + 4) as score, since + interval '3 hours' as made_at, assessed_at as replaced_at
    where assessed_at > since + interval '1 day'
  union all
  select case when assessed_at > since + interval '1 day' then 'periodic' else 'onboarding' end, '2.4', risk_score, assessed_at, null
) as history
where status <> 'draft'
on conflict (id) do nothing;

insert into compliance_checks (id, business_id, check_type, status, provider, score, findings, requested_by, requested_at, started_at, completed_at,
  valid_until, reviewed_by, reviewed_at, review_note)
select md5(format('demo:check:%s:%s', n, check_type))::uuid, business_id, check_type, status, provider, case status when 'passed' then 94
  when 'failed' then 21 end, case when status in ('failed', 'needs_review') then jsonb_build_array(jsonb_build_object('kind', check_type, 'summary',
    'Does not fit what was stated')) else '[]' end,
  ('22000000-0000-4000-8000-' || lpad((1 + n % 3)::text, 12, '0'))::uuid, asked_at,
  case when status <> 'pending' then asked_at + interval '20 seconds' end,
  case when status in ('passed', 'failed') then asked_at + interval '40 seconds' end,
  case when status = 'passed' then today + interval '200 days' end,
  case when status = 'failed' then '20000000-0000-4000-8000-000000000002'::uuid end,
  case when status = 'failed' then asked_at + interval '30 seconds' end,
  case when status = 'failed' then 'Confirmed' end
from demo_checks
on conflict (id) do nothing;
