-- What was found out about the businesses: classifications, assessments, checks. Rows come in the order of their time. See the first file.

create or replace function pg_temp.draw(digest text, nth integer) returns double precision
  language sql immutable
  return ('x' || substr(digest, nth * 8 - 7, 8))::bit(32)::bigint::double precision / 4294967296;

alter table business_classifications disable trigger user;
alter table risk_assessments disable trigger user;
alter table compliance_checks disable trigger user;

-- The larger industries first, none that is prohibited.
insert into business_classifications (id, business_id, code_system, industry_code, confidence_score, method, source, is_primary, evidence,
  classified_at, created_at, updated_at)
select md5('volume:classification:' || businesses.id)::uuid, businesses.id, 'NAICS',
  codes[1 + floor(cardinality(codes) * power(pg_temp.draw(digest, 1), 2.5))::integer],
  round((1 - 0.6 * power(pg_temp.draw(digest, 2), 3))::numeric, 4),
  case when pg_temp.draw(digest, 3) < 0.6 then 'model' when pg_temp.draw(digest, 3) < 0.9 then 'registry' else 'keyword' end,
  case when pg_temp.draw(digest, 3) < 0.6 then 'industry-model-3' when pg_temp.draw(digest, 3) < 0.9 then 'company register' else 'words-1' end, true,
  jsonb_build_object('model', '3.1'), businesses.created_at + interval '2 hours', businesses.created_at + interval '2 hours',
  businesses.created_at + interval '2 hours'
from (select array_agg(code order by md5(code)) as codes from industry_codes where code_system = 'NAICS' and not is_prohibited) as catalogue
cross join businesses
cross join lateral (select md5('volume:classification:draw:' || businesses.id) as digest offset 0) as chance
where businesses.metadata @> '{"source": "volume"}'
order by businesses.created_at;

insert into risk_assessments (id, business_id, assessment_type, model_version, risk_score, risk_level, risk_factors, assessed_at, valid_until,
  superseded_at, created_at)
select md5(format('volume:assessment:%s:%s', business_id, kind))::uuid, business_id, kind, version, score,
  case when score < 25 then 'low' when score < 50 then 'medium' when score < 75 then 'high' else 'critical' end,
  jsonb_build_array(
    jsonb_build_object('factor', 'industry', 'weight', 0.5, 'score', round(score)),
    jsonb_build_object('factor', case when country_code in ('AE', 'CY') then 'high_risk_country' else 'geography' end, 'weight', 0.2,
      'score', round(score / 2)),
    jsonb_build_object('factor', case when score >= 90 then 'sanctions_match' when score >= 75 then 'adverse_media'
        when score >= 50 then 'cash_intensity' else 'age_of_business' end, 'weight', 0.3, 'score', round(score))),
  made_at, valid_until, replaced_at, made_at
from (
  select businesses.id as business_id, country_code, 'onboarding' as kind, '2.3' as version, least(100, round(risk_score * 1.1, 2)) as score,
    created_at + interval '3 hours' as made_at, created_at + interval '180 days' as valid_until, risk_assessed_at as replaced_at
  from businesses
  where risk_assessed_at > created_at + interval '1 day' and metadata @> '{"source": "volume"}'
  union all
  select id, country_code, case when risk_assessed_at > created_at + interval '1 day' then 'periodic' else 'onboarding' end, '2.4', risk_score,
    risk_assessed_at, next_review_at, null
  from businesses
  where risk_score is not null and metadata @> '{"source": "volume"}'
  offset 0
) as history
order by made_at;

-- Two checks of each business and a third of one in four. One of the first two is what its compliance comes from.
insert into compliance_checks (id, business_id, check_type, status, provider, score, findings, requested_by, requested_at, started_at, completed_at,
  valid_until, reviewed_by, reviewed_at, created_at, updated_at)
select md5(format('volume:check:%s:%s', business_id, check_type))::uuid, business_id, check_type, status, provider,
  case status when 'passed' then 90 + position when 'failed' then 20 end,
  case when status in ('failed', 'needs_review') then jsonb_build_array(jsonb_build_object('kind', check_type, 'list',
    (array['UN', 'EU', 'OFAC', 'HMT'])[1 + floor(4 * chance)::integer])) else '[]' end,
  assigned_to, asked_at, case when status <> 'pending' then asked_at + interval '2 seconds' end,
  case when status in ('passed', 'failed', 'expired') then asked_at + interval '9 seconds' end,
  case status when 'passed' then asked_at + interval '1100 days' when 'expired' then asked_at + interval '100 days' end,
  case when status = 'failed' then assigned_to end, case when status = 'failed' then asked_at + interval '8 seconds' end, asked_at,
    asked_at + interval '9 seconds'
from (
  select businesses.id as business_id, assigned_to, check_type, provider, position, created_at + interval '3 hours' * position as asked_at,
    pg_temp.draw(digest, 2) as chance,
    case
      when position <> decisive then 'passed'
      when compliance_status = 'non_compliant' then 'failed'
      when compliance_status = 'under_review' then 'needs_review'
      when compliance_status <> 'pending' then 'passed'
      when businesses.status = 'active' then 'expired'
      when pg_temp.draw(digest, 3) < 0.5 then 'pending'
      else 'in_progress' end as status
  from businesses
  cross join lateral (select md5('volume:check:draw:' || businesses.id) as digest offset 0) as chances
  cross join lateral (select case when pg_temp.draw(digest, 1) < 0.7 then 2 else 1 end as decisive) as which
  cross join (values (1, 'registry', 'OpenRegisters'), (2, 'sanctions', 'ListWatch'), (3, 'pep', 'ListWatch'))
    as usual (position, check_type, provider)
  where compliance_status <> 'not_checked' and metadata @> '{"source": "volume"}' and (position < 3 or pg_temp.draw(digest, 4) < 0.25)
  offset 0
) as checked
order by asked_at;

alter table business_classifications enable trigger user;
alter table risk_assessments enable trigger user;
alter table compliance_checks enable trigger user;

analyze business_classifications, risk_assessments, compliance_checks;
