--! Title: Twelve businesses, from a bakery to an arms dealer, in every status and of every risk

-- As they stand today, which they did not reach step by step: the guards of the application's way stand aside for this transaction.
set local app.maintenance = 'on';

create temporary table dev_businesses on commit drop as
select *, md5('business:' || slug)::uuid as id, today - make_interval(days => known_for) as since,
  today - make_interval(days => assessed_ago) as assessed_at
from (values
  (1, 'northwind-coffee', 'Northwind Coffee Roasters Ltd', 'Northwind', 'GB', '09412377', 'limited_company', date '2012-05-14', 48, 3200000, 'GBP',
    'Leeds',
    'active', null, 'compliant', 12.00, 'low', 'NAICS', '311920', 0.9700, 300, 40),
  (2, 'harbour-logistics', 'Harbour Logistics GmbH', 'Harbour', 'DE', 'HRB182734', 'limited_company', date '2001-03-01', 210, 41000000, 'EUR',
    'Hamburg',
    'active', null, 'compliant', 22.50, 'low', 'NAICS', '488510', 0.9100, 280, 25),
  (3, 'solaris-energy', 'Solaris Energie SAS', 'Solaris', 'FR', '812345678', 'limited_company', date '2016-09-20', 35, 7800000, 'EUR', 'Lyon',
    'active', null, 'compliant', 38.25, 'medium', 'NAICS', '221114', 0.9500, 250, 60),
  (4, 'bright-pixel', 'Bright Pixel Studio LLC', null, 'US', '5567812', 'limited_company', date '2020-01-06', 9, 640000, 'USD', 'Austin',
    'pending_review', null, 'pending', 47.00, 'medium', 'NAICS', '541430', 0.8800, 6, 2),
  (5, 'golden-gate-jewelers', 'Golden Gate Jewelers Inc', 'GG Jewelers', 'US', 'C3344556', 'limited_company', date '1998-11-30', 26, 12500000, 'USD',
    'San Francisco',
    'pending_review', null, 'under_review', 61.40, 'high', 'NAICS', '423940', 0.9300, 9, 4),
  (6, 'cryptobridge', 'CryptoBridge Exchange OÜ', 'CryptoBridge', 'EE', '14567890', 'limited_company', date '2018-02-12', 54, 19800000, 'EUR',
    'Tallinn',
    'active', null, 'compliant', 72.10, 'high', 'MCC', '6051', 0.9900, 200, 20),
  (7, 'lucky-star', 'Lucky Star Casino Ltd', 'Lucky Star', 'MT', 'C77123', 'limited_company', date '2019-06-03', 120, 33000000, 'EUR', 'Sliema',
    'rejected', 'An owner is on a sanctions list', 'non_compliant', 88.00, 'critical', 'NAICS', '713210', 0.9800, 45, 40),
  (8, 'fenwick-and-sons', 'Fenwick & Sons', null, 'GB', 'ST009912', 'sole_proprietor', date '2021-04-01', 2, null, null, 'York',
    'draft', null, 'not_checked', null, null, null, null, null, 1, null),
  (9, 'meridian-pharma', 'Meridian Pharma AG', 'Meridian', 'CH', 'CHE-114.567.890', 'public_company', date '1987-10-10', 860, 412000000, 'CHF',
    'Basel',
    'suspended', 'A manufacturing licence was withdrawn', 'non_compliant', 66.75, 'high', 'NAICS', '325412', 0.9600, 320, 10),
  (10, 'old-mill-bakery', 'Old Mill Bakery Ltd', 'Old Mill', 'IE', '534211', 'limited_company', date '2009-08-17', 14, 900000, 'EUR', 'Galway',
    'closed', 'Ceased trading', 'compliant', 8.30, 'low', 'NAICS', '311811', 0.9900, 330, 200),
  (11, 'atlas-arms', 'Atlas Arms Trading FZE', null, 'AE', 'FZE-88213', 'limited_company', date '2017-12-05', 11, 5600000, 'USD', 'Sharjah',
    'rejected', 'The industry is prohibited', 'non_compliant', 95.50, 'critical', 'NAICS', '332994', 0.8900, 30, 28),
  (12, 'nova-relief', 'Nova Relief Foundation', 'Nova Relief', 'NL', '41215393', 'nonprofit', date '2005-02-24', 31, 2750000, 'EUR', 'Utrecht',
    'active', null, 'pending', 44.90, 'medium', 'NAICS', '813212', 0.7600, 290, 90)
) as known (n, slug, legal_name, trade_name, country, registration_number, legal_form, founded_on, employee_count, annual_revenue, currency, city,
  status, status_reason, compliance_status, risk_score, risk_level, code_system, industry_code, confidence, known_for, assessed_ago)
cross join (select created_at as today from users where id = '20000000-0000-4000-8000-000000000001') as calendar;

insert into businesses (id, legal_name, trade_name, registration_country, registration_number, tax_id, legal_form, founded_on, employee_count,
  annual_revenue, revenue_currency, contact_name, contact_email, website_url, city, country_code, status, status_reason, compliance_status,
  risk_score, risk_level, risk_assessed_at, next_review_at, created_by, assigned_to, submitted_at, verified_at, closed_at, metadata, created_at,
    updated_at)
select id, legal_name, trade_name, country, registration_number, country || lpad((n * 7654321 % 100000000)::text, 8, '0'), legal_form, founded_on,
  employee_count, annual_revenue, currency, 'Contact of ' || coalesce(trade_name, legal_name), 'contact@' || slug || '.example', 'https://' || slug
    || '.example',
  city, country, status, status_reason, compliance_status, risk_score, risk_level, assessed_at,
  assessed_at + make_interval(days => case risk_level when 'low' then 365 when 'medium' then 180 when 'high' then 90 else 30 end),
  case when n % 3 = 2 then '20000000-0000-4000-8000-000000000004' else '20000000-0000-4000-8000-000000000003' end::uuid,
  case when status not in ('draft', 'closed') then '20000000-0000-4000-8000-000000000003'::uuid end,
  case when status <> 'draft' then since + interval '1 hour' end,
  case when status in ('active', 'suspended', 'closed') then since + interval '3 days' end,
  case when status = 'closed' then today - interval '15 days' end, jsonb_build_object('source', 'seed', 'segment',
  case when employee_count > 100 then 'enterprise' else 'small' end),
  since, today
from dev_businesses
on conflict (id) do nothing;

insert into business_classifications (id, business_id, code_system, industry_code, confidence_score, method, source, is_primary, classified_by,
  evidence, classified_at)
select md5('classification:' || slug)::uuid, id, code_system, industry_code, confidence, case when n % 4 = 0 then 'manual'
  when n % 4 = 1 then 'registry' else 'model' end,
  case when n % 4 = 0 then 'analyst' when n % 4 = 1 then 'company register' else 'industry-model-3' end, true,
  case when n % 4 = 0 then '20000000-0000-4000-8000-000000000003'::uuid end, jsonb_build_object('words', array[split_part(slug, '-', 2)]),
    since + interval '2 hours'
from dev_businesses where code_system is not null
on conflict (id) do nothing;

-- A first guess from words alone, which the model replaced.
insert into business_classifications (id, business_id, code_system, industry_code, confidence_score, method, source, is_primary, classified_at,
  superseded_at)
select md5('classification:guess:' || slug)::uuid, id, 'SIC', '5812', 0.3100, 'keyword', 'words-1', true, since + interval '1 hour',
  since + interval '2 hours'
from dev_businesses where slug in ('northwind-coffee', 'old-mill-bakery')
on conflict (id) do nothing;

-- The assessment before the current one, where the business has been known for long.
insert into risk_assessments (id, business_id, assessment_type, model_version, risk_score, risk_level, risk_factors, assessed_at, valid_until,
  superseded_at)
select md5('assessment:onboarding:' || slug)::uuid, id, 'onboarding', '2.3', earlier, case when earlier < 25 then 'low'
  when earlier < 50 then 'medium' when earlier < 75 then 'high' else 'critical' end,
  jsonb_build_array(jsonb_build_object('factor', 'industry', 'weight', 0.5, 'score', earlier, 'detail', 'before anything else was known')),
  since + interval '3 hours', since + interval '200 days', assessed_at
from dev_businesses cross join lateral (select least(100, risk_score + 5) as earlier) as before
where known_for > 100
on conflict (id) do nothing;

insert into risk_assessments (id, business_id, assessment_type, model_version, risk_score, risk_level, override_reason, risk_factors, assessed_by,
  assessed_at, valid_until)
select md5('assessment:' || slug)::uuid, id, case when known_for > 100 then 'periodic' else 'onboarding' end, '2.4', risk_score, risk_level, null,
  jsonb_build_array(
    jsonb_build_object('factor', 'industry', 'weight', 0.4, 'score', least(100, risk_score + 6), 'detail', code_system || ' ' || industry_code),
    jsonb_build_object('factor', 'geography', 'weight', 0.2, 'score', greatest(0, risk_score - 9), 'detail', country),
    jsonb_build_object('factor', case when risk_level = 'critical' then 'sanctions_match' when risk_level = 'high' then 'cash_intensity'
      else 'age_of_business' end, 'weight', 0.4, 'score', risk_score, 'detail', 'founded ' || extract(year from founded_on))),
  case when n % 2 = 0 then '20000000-0000-4000-8000-000000000003'::uuid end, assessed_at,
  assessed_at + make_interval(days => case risk_level when 'low' then 365 when 'medium' then 180 when 'high' then 90 else 30 end)
from dev_businesses where risk_score is not null
on conflict (id) do nothing;

insert into compliance_checks (id, business_id, check_type, status, provider, score, requirements, findings, requested_by, requested_at, started_at,
  completed_at, valid_until, reviewed_by, reviewed_at, review_note)
select md5('check:' || slug || ':' || check_type)::uuid, dev_businesses.id, check_type, checked.status, provider,
  case when checked.status = 'passed' then 96.50 when checked.status = 'failed' then 18.00 end,
  jsonb_build_array(jsonb_build_object('requirement', check_type || ' evidence', 'met', checked.status = 'passed')),
  case when checked.status in ('failed', 'needs_review') then jsonb_build_array(jsonb_build_object('kind', check_type, 'summary', finding))
    else '[]' end,
  '20000000-0000-4000-8000-000000000003'::uuid, asked_at, case when checked.status <> 'pending' then asked_at + interval '1 minute' end,
  case when checked.status in ('passed', 'failed', 'expired') then asked_at + interval '9 minutes' end,
  case checked.status when 'passed' then today + interval '300 days' when 'expired' then today - interval '4 days' end,
  case when checked.status = 'failed' then '20000000-0000-4000-8000-000000000002'::uuid end,
  case when checked.status = 'failed' then asked_at + interval '8 minutes' end, case when checked.status = 'failed' then 'Confirmed: ' || finding end
from dev_businesses
cross join (values ('registry', 'OpenRegisters'), ('sanctions', 'ListWatch'), ('pep', 'ListWatch'), ('beneficial_owners', 'OpenRegisters'),
  ('address', 'PostCheck')) as usual (check_type, provider)
cross join lateral (
  select case
    when slug in ('lucky-star', 'atlas-arms') and check_type = 'sanctions' then 'failed'
    when slug = 'golden-gate-jewelers' and check_type = 'pep' then 'needs_review'
    when slug = 'bright-pixel' and check_type = 'address' then 'pending'
    when slug = 'bright-pixel' and check_type = 'beneficial_owners' then 'in_progress'
    when slug = 'nova-relief' and check_type = 'registry' then 'expired'
    else 'passed' end as status,
    case check_type when 'sanctions' then 'An owner matches a listed person' when 'pep' then 'A director may be a former minister' end as finding,
    since + interval '1 day' as asked_at
) as checked
where compliance_status <> 'not_checked'
union all
select md5('check:meridian-pharma:licence')::uuid, id, 'licence', 'failed', 'Swissmedic', 5.00,
  '[{"requirement": "manufacturing licence", "met": false}]',
  '[{"kind": "licence", "summary": "Withdrawn by the authority"}]', '20000000-0000-4000-8000-000000000003', today - interval '10 days',
  today - interval '10 days' + interval '1 minute', today - interval '10 days' + interval '2 hours', null, '20000000-0000-4000-8000-000000000002',
  today - interval '10 days' + interval '1 hour', 'Confirmed by telephone'
from dev_businesses where slug = 'meridian-pharma'
on conflict (id) do nothing;
