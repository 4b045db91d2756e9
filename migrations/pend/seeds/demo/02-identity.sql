--! Title: KYC applications of the 240, and the tiers they earned

create or replace function pg_temp.draw(seed text) returns numeric
  language sql immutable return ('x' || left(md5(seed), 8))::bit(32)::bigint / 4294967296.0;

-- Finished work, so without its steps.
set local app.maintenance = 'on';

-- Each reaches a level, by an application for each step; some have one under way or were refused.
insert into kyc_applications (id, user_id, level, status, risk_rating, provider, provider_reference, submitted_at, reviewed_by, reviewed_at, rejection_reason,
  valid_until, answers, created_at)
select md5(format('demo:kyc:%s:%s', n, step))::uuid, users.id, step, decided.status,
  case when decided.status in ('approved', 'rejected') then (array['low', 'medium', 'high'])[1 + floor(3 * power(pg_temp.draw('demo:rating:' || n), 2.5))::integer] end,
  'veridoc', format('demo-%s-%s', n, step), begun + interval '30 minutes',
  case when decided.status <> 'submitted' then '30000000-0000-4000-8000-000000000002'::uuid end,
  case when decided.status in ('approved', 'rejected') then begun + interval '20 hours' end,
  case when decided.status = 'rejected' then (array['The paper cannot be read', 'The paper has run out', 'Not the same face'])[1 + n % 3] end,
  case when decided.status = 'approved' then begun + interval '2 years' end, '{"pep": false}', begun
from generate_series(1, 240) as n
join users on users.id = ('31000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid
cross join lateral (
  select case when n <= 6 then 3 else (array[2, 1, 3, 0])[1 + floor(4 * power(pg_temp.draw('demo:level:' || n), 1.6))::integer] end as reached,
    pg_temp.draw('demo:next:' || n) as next_draw
) as person
cross join generate_series(1, 3) as step
cross join lateral (
  select case when step <= reached then 'approved' when step > reached + 1 then null
    when next_draw < 0.08 then 'submitted' when next_draw < 0.16 then 'in_review' when next_draw < 0.24 then 'rejected' end as status
) as decided
cross join lateral (select users.created_at + interval '4 hours' * step as begun) as time
where users.status <> 'pending' and decided.status is not null
on conflict (id) do nothing;

insert into kyc_documents (id, application_id, document_type, storage_key, sha256, mime_type, size_bytes, issuing_country, expires_on, status, verified_by,
  verified_at, rejection_reason, uploaded_at)
select md5('demo:document:' || storage_key)::uuid, application.id, paper.document_type, storage_key, encode(sha256(storage_key::bytea), 'hex'),
  case paper.document_type when 'source_of_funds' then 'application/pdf' else 'image/jpeg' end, 200000 + floor(2000000 * pg_temp.draw(storage_key))::integer,
  case paper.document_type when 'id_card' then coalesce(country_code, 'DE') end,
  case paper.document_type when 'id_card' then (application.created_at + interval '5 years')::date end, verdict.status,
  case when verdict.status <> 'pending' then application.reviewed_by end, case when verdict.status <> 'pending' then application.reviewed_at end,
  case when verdict.status = 'rejected' then application.rejection_reason end, application.created_at
from kyc_applications as application
join user_profiles on user_profiles.user_id = application.user_id
join (values ('id_card', 2), ('selfie', 2), ('residence_proof', 3), ('source_of_funds', 3)) as paper (document_type, of_level) on of_level = level
cross join lateral (select format('kyc/demo/%s/%s', application.id, paper.document_type) as storage_key) as stored
cross join lateral (
  select case when application.reviewed_at is null then 'pending' when application.status = 'rejected' then 'rejected' else 'accepted' end as status
) as verdict
where application.provider_reference like 'demo-%'
on conflict (id) do nothing;

-- The identity paper of level 2 counts at level 3, too.
update users set tier_code = (array['verified', 'plus', 'premium'])[kyc_level]
where id::text like '31000000-0000-4000-8000-%' and kyc_level > 0 and tier_code = 'basic';
