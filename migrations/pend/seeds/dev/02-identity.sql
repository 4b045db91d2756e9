--! Title: KYC applications in every status, with their papers

-- Finished work, so without its steps.
set local app.maintenance = 'on';

insert into kyc_applications (id, user_id, level, status, risk_rating, provider, provider_reference, submitted_at, reviewed_by, reviewed_at,
  rejection_reason, valid_until, answers, created_at)
select ('22000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, ('21000000-0000-4000-8000-' || lpad(person::text, 12, '0'))::uuid, level, status,
  risk_rating, case when level > 1 then 'veridoc' end, case when level > 1 then 'dev-' || n end,
  case when status <> 'draft' then begun + interval '1 hour' end,
  case when status in ('approved', 'rejected', 'expired', 'in_review') then '20000000-0000-4000-8000-000000000002'::uuid end,
  case when status in ('approved', 'rejected', 'expired') then begun + interval '2 days' end,
  case when status = 'rejected' then 'The passport is of somebody else' end,
  case when status in ('approved', 'expired') then begun + make_interval(days => case status when 'approved' then 730 else 60 end) end,
  '{"pep": false, "tax_residence": ["GB"]}', begun
from (values
  (1, 1, 1, 'approved', 'low', 175), (2, 1, 2, 'approved', 'low', 170), (3, 1, 3, 'approved', 'low', 120),
  (4, 2, 1, 'approved', 'low', 150), (5, 2, 2, 'approved', 'medium', 140),
  (6, 3, 1, 'approved', 'low', 130), (7, 3, 2, 'in_review', 'medium', 3),
  (8, 4, 1, 'draft', null, 1),
  (9, 5, 2, 'rejected', 'high', 90),
  (10, 6, 1, 'approved', 'medium', 70), (11, 6, 2, 'expired', 'medium', 75), (12, 6, 2, 'submitted', null, 2),
  (13, 3, 3, 'withdrawn', null, 60)
) as application (n, person, level, status, risk_rating, days)
cross join lateral (
  select created_at - make_interval(days => days) as begun from admin_users where id = '20000000-0000-4000-8000-000000000001') as anchor
on conflict (id) do nothing;

insert into kyc_documents (id, application_id, document_type, storage_key, sha256, mime_type, size_bytes, issuing_country, expires_on, status,
  verified_by, verified_at, rejection_reason, uploaded_at)
select md5('dev:document:' || storage_key)::uuid, application.id, paper.document_type, storage_key, encode(sha256(storage_key::bytea), 'hex'), 'image/jpeg',
  400000 + 1000 * right(application.id::text, 2)::integer, case when paper.document_type = 'passport' then 'GB' end,
  case when paper.document_type = 'passport' then (application.created_at + interval '6 years')::date end, verdict.status,
  case when verdict.status <> 'pending' then application.reviewed_by end, case when verdict.status <> 'pending' then application.reviewed_at end,
  case when verdict.status = 'rejected' then 'Not this person' end, application.created_at
from kyc_applications as application
cross join (values ('passport', 2), ('selfie', 2), ('residence_proof', 3), ('source_of_funds', 3)) as paper (document_type, from_level)
cross join lateral (select format('kyc/dev/%s/%s.jpg', application.id, paper.document_type) as storage_key) as stored
cross join lateral (
  select case when application.reviewed_at is null then 'pending' when application.status = 'rejected' then 'rejected' else 'accepted' end as status
) as verdict
where application.id::text like '22000000-0000-4000-8000-%' and application.level >= paper.from_level
on conflict (id) do nothing;

update users set tier_code = earned.tier_code
from (values (1, 'premium'), (2, 'plus'), (3, 'verified'), (6, 'verified')) as earned (n, tier_code)
where users.id = ('21000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid and users.tier_code = 'basic';
