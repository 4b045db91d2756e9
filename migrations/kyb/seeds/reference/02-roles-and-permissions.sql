--! Title: Roles and what each may do

-- Roles that the application ships with, and what each may do. Permissions taken from a role by an operator are given back here:
-- the shipped roles are the program's; roles of one's own are not touched.
insert into roles (id, name, description, is_system) values
  ('10000000-0000-4000-8000-000000000001', 'admin', 'Everything', true),
  ('10000000-0000-4000-8000-000000000002', 'compliance_officer', 'Decides on businesses, overrides risk, reviews checks', true),
  ('10000000-0000-4000-8000-000000000003', 'analyst', 'Looks into businesses: classifies, assesses, starts checks', true),
  ('10000000-0000-4000-8000-000000000004', 'auditor', 'Reads everything, changes nothing', true),
  ('10000000-0000-4000-8000-000000000005', 'integrator', 'Keeps webhooks and API keys', true),
  ('10000000-0000-4000-8000-000000000006', 'user', 'Enters own businesses and sees what becomes of them', true)
on conflict (name) do update
  set description = excluded.description, is_system = excluded.is_system
  where (roles.description, roles.is_system) is distinct from (excluded.description, excluded.is_system);

insert into permissions (id, resource, action, description)
select md5('permission:' || resource || ':' || action)::uuid, resource, action, description
from (values
  ('user', 'read', 'See users'),
  ('user', 'manage', 'Create, change and suspend users'),
  ('role', 'read', 'See roles and who holds them'),
  ('role', 'assign', 'Assign and revoke roles'),
  ('business', 'read', 'See all businesses'),
  ('business', 'read_own', 'See businesses that one entered'),
  ('business', 'create', 'Enter businesses'),
  ('business', 'update', 'Change what is known of a business'),
  ('business', 'decide', 'Activate, reject, suspend and close businesses'),
  ('classification', 'read', 'See classifications'),
  ('classification', 'create', 'Classify a business'),
  ('risk', 'read', 'See assessments and their factors'),
  ('risk', 'assess', 'Assess a business'),
  ('risk', 'override', 'Set a level that differs from the score''s'),
  ('compliance', 'read', 'See checks and what they found'),
  ('compliance', 'check', 'Start checks'),
  ('compliance', 'review', 'Decide checks that need a review'),
  ('api_key', 'manage_own', 'Create and revoke own API keys'),
  ('api_key', 'manage', 'See and revoke anybody''s API keys'),
  ('webhook', 'manage_own', 'Keep own webhooks'),
  ('webhook', 'manage', 'See anybody''s webhooks and their deliveries'),
  ('audit', 'read', 'Read the audit'),
  ('monitoring', 'read', 'See calls to other services, and figures')
) as shipped (resource, action, description)
on conflict (resource, action) do update
  set description = excluded.description where permissions.description is distinct from excluded.description;

insert into role_permissions (role_id, permission_id)
select roles.id, permissions.id
from roles
join permissions on case roles.name
  when 'admin' then true
  when 'compliance_officer' then resource in ('business', 'classification', 'risk', 'compliance') or permissions.name in (
    'user:read', 'role:read', 'audit:read', 'monitoring:read')
  when 'analyst' then action = 'read' and resource in ('business', 'classification', 'risk', 'compliance') or permissions.name in (
    'business:create', 'business:update', 'classification:create', 'risk:assess', 'compliance:check', 'api_key:manage_own')
  when 'auditor' then action = 'read'
  when 'integrator' then permissions.name in ('business:read', 'api_key:manage_own', 'api_key:manage', 'webhook:manage_own', 'webhook:manage',
    'monitoring:read')
  when 'user' then permissions.name in ('business:read_own', 'business:create', 'api_key:manage_own', 'webhook:manage_own')
  else false end
where roles.is_system
on conflict do nothing;
