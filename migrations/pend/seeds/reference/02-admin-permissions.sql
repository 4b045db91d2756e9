--! Title: What each role of an administrator may do

-- Permissions taken from a role by an operator are given back here: the shipped roles are the program's.
insert into admin_permissions (role, resource, action, description)
select role, resource, action, description
from (values
  ('users', 'read', 'See users and profiles', '{operations,compliance,finance,support,viewer}'),
  ('users', 'update', 'Change profiles and tiers', '{operations,support}'),
  ('users', 'suspend', 'Suspend users and let them in again', '{operations,compliance}'),
  ('kyc_applications', 'read', 'See applications', '{operations,compliance,support}'),
  ('kyc_applications', 'review', 'Look at papers and decide', '{compliance}'),
  ('assets', 'read', 'See assets that are not published yet', '{operations,compliance,finance,support,viewer}'),
  ('assets', 'create', 'Prepare assets', '{operations}'),
  ('assets', 'publish', 'Open, close and cancel assets', '{operations}'),
  ('investments', 'read', 'See investments', '{operations,compliance,finance,support,viewer}'),
  ('investments', 'cancel', 'Cancel pending investments', '{operations,finance}'),
  ('transactions', 'read', 'See transactions', '{operations,compliance,finance,support}'),
  ('transactions', 'approve', 'Approve withdrawals', '{finance}'),
  ('transactions', 'retry', 'Send what failed once more', '{operations,finance}'),
  ('contracts', 'read', 'See events and calls of contracts', '{operations,finance,viewer}'),
  ('contracts', 'call', 'Call contracts of assets', '{operations}'),
  ('admin_logs', 'read', 'Read the audit trail', '{compliance}'),
  ('reports', 'export', 'Export reports', '{compliance,finance}'),
  ('system', 'read', 'See health, metrics and logs', '{operations,viewer}'),
  ('system', 'configure', 'Change tiers and settings', '{}'),
  ('admin_users', 'manage', 'Make, change and suspend administrators', '{}')
) as shipped (resource, action, description, roles)
cross join lateral unnest(roles::text[] || 'super_admin'::text) as role
on conflict (role, resource, action) do update
  set description = excluded.description where admin_permissions.description is distinct from excluded.description;
