--! Previous: sha1:7e0802a9a183ec57077d5314ab48a1fc7e80a730
--! Hash: sha1:54f6523e5a0ec8745722070c7fae6647e93eb746
--! Message: administrators

-- First, because administrators decide about what follows.

create table admin_users (
  id uuid primary key default gen_random_uuid(),
  email text not null check (email = lower(email) and email ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$' and length(email) <= 254),
  full_name text not null check (full_name <> ''),
  password_hash text not null
    constraint admin_users_password_hash_bcrypt check (password_hash ~ '^\$2[aby]\$(1[0-9]|2[0-9]|3[01])\$[./A-Za-z0-9]{53}$'),
  role text not null check (role in ('super_admin', 'operations', 'compliance', 'finance', 'support', 'viewer')),
  status text not null default 'active' check (status in ('active', 'suspended', 'closed')),
  two_factor_enabled boolean not null default false,
  two_factor_secret text,
  failed_login_attempts integer not null default 0 check (failed_login_attempts >= 0),
  locked_until timestamptz,
  last_login_at timestamptz,
  last_login_ip inet,
  password_changed_at timestamptz not null default now(),
  created_by uuid references admin_users (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz constraint admin_users_deleted_after_creation check (deleted_at >= created_at),
  constraint admin_users_deleted_is_closed check (deleted_at is null or status = 'closed'),
  constraint admin_users_two_factor_has_secret check (not two_factor_enabled or two_factor_secret is not null)
);
comment on table admin_users is 'Staff who log in to the administration. Never deleted, since decisions name them; deleted_at hides them.';
comment on column admin_users.password_hash is 'bcrypt, cost 10 or more. Redacted in admin_logs.';
comment on column admin_users.two_factor_secret is 'TOTP secret, encrypted by the application. Redacted in admin_logs.';
comment on column admin_users.locked_until is 'No login before this time, set after too many failed attempts.';
comment on column admin_users.deleted_at is 'Soft delete: the email becomes free for another administrator.';

create unique index admin_users_email_key on admin_users (email) where deleted_at is null;
create index admin_users_created_by_idx on admin_users (created_by) where created_by is not null;
create trigger set_updated_at before update on admin_users for each row execute function set_updated_at();
select keep_rows('admin_users');

create table admin_permissions (
  role text not null check (role in ('super_admin', 'operations', 'compliance', 'finance', 'support', 'viewer')),
  resource text not null check (resource ~ '^[a-z][a-z_]*$'),
  action text not null check (action ~ '^[a-z][a-z_]*$'),
  description text not null default '',
  created_at timestamptz not null default now(),
  primary key (role, resource, action)
);
comment on table admin_permissions is 'What each role of an administrator may do: an action on a kind of resource. What has no row is not allowed.';
