--! Title: Roles and what each may do

-- Roles that the application ships with, and what each may do. Permissions taken from a role by an operator are given back here:
-- the shipped roles are the program's; roles of one's own are not touched.
insert into roles (id, name, description, is_system) values
  ('10000000-0000-4000-8000-000000000001', 'admin', 'Everything', true),
  ('10000000-0000-4000-8000-000000000002', 'trader', 'Trades on own accounts', true),
  ('10000000-0000-4000-8000-000000000003', 'risk_manager', 'Limits, breakers, margin and stress tests', true),
  ('10000000-0000-4000-8000-000000000004', 'compliance_officer', 'Identity checks, reports, audit', true),
  ('10000000-0000-4000-8000-000000000005', 'support', 'Helps clients, changes nothing of value', true),
  ('10000000-0000-4000-8000-000000000006', 'viewer', 'Looks at own accounts', true)
on conflict (name) do update
  set description = excluded.description, is_system = excluded.is_system
  where (roles.description, roles.is_system) is distinct from (excluded.description, excluded.is_system);

insert into permissions (id, resource, action, description)
select md5('permission:' || resource || ':' || action)::uuid, resource, action, description
from (values
  ('user', 'read', 'See users'),
  ('user', 'manage', 'Create, change, suspend users and give roles'),
  ('account', 'read', 'See accounts, balances and statements'),
  ('account', 'manage', 'Open, change and close accounts'),
  ('account', 'adjust', 'Book adjustments'),
  ('order', 'read', 'See orders, fills and trades'),
  ('order', 'place', 'Place, change and cancel orders'),
  ('order', 'cancel_any', 'Cancel anybody''s order'),
  ('position', 'read', 'See positions'),
  ('position', 'close_any', 'Close anybody''s position'),
  ('payment', 'request', 'Request deposits and withdrawals'),
  ('payment', 'approve', 'Approve withdrawals'),
  ('instrument', 'manage', 'Change instruments and trading hours'),
  ('liquidity', 'read', 'See providers, quotes and routing'),
  ('liquidity', 'manage', 'Change providers and routing rules'),
  ('risk', 'read', 'See limits, breaches, margin and measures'),
  ('risk', 'manage', 'Change limits and breakers, run stress tests'),
  ('compliance', 'read', 'See compliance events'),
  ('compliance', 'manage', 'Handle and report compliance events'),
  ('audit', 'read', 'Read the audit'),
  ('api_key', 'manage_own', 'Create and revoke own API keys')
) as shipped (resource, action, description)
on conflict (resource, action) do update
  set description = excluded.description where permissions.description is distinct from excluded.description;

insert into role_permissions (role_id, permission_id)
select roles.id, permissions.id
from roles
join permissions on case roles.name
  when 'admin' then true
  when 'trader' then resource || '.' || action in (
    'account.read', 'order.read', 'order.place', 'position.read', 'payment.request', 'api_key.manage_own')
  when 'risk_manager' then resource = 'risk' or resource || '.' || action in (
    'user.read', 'account.read', 'order.read', 'order.cancel_any', 'position.read', 'position.close_any', 'liquidity.read')
  when 'compliance_officer' then resource in ('compliance', 'audit') or resource || '.' || action in (
    'user.read', 'account.read', 'order.read', 'position.read', 'payment.approve', 'risk.read')
  when 'support' then resource || '.' || action in ('user.read', 'account.read', 'order.read', 'position.read')
  when 'viewer' then resource || '.' || action in ('account.read', 'order.read', 'position.read')
  else false end
where roles.is_system
on conflict do nothing;
