--! Previous: sha1:d7b1270562bbf242b92d0f09d4f157bd47ba9da6
--! Hash: sha1:c77da80a9ac9a97d9fd37ffe34b466f7257015a1
--! Message: RBAC

-- Who may do what: roles carry permissions, people hold roles for a time, API keys carry some of their holder's permissions.

create table permissions (
  id uuid primary key default gen_random_uuid(),
  resource text not null check (resource ~ '^[a-z][a-z_]*$'),
  action text not null check (action ~ '^[a-z][a-z_]*$'),
  name text not null generated always as (resource || ':' || action) stored,
  description text not null check (description <> ''),
  created_at timestamptz not null default now(),
  unique (resource, action)
);
comment on table permissions is 'What can be allowed: an action on a kind of resource.';
comment on column permissions.name is 'As the application writes it: business:read.';

create table roles (
  id uuid primary key default gen_random_uuid(),
  name text not null unique check (name ~ '^[a-z][a-z_]{1,49}$'),
  description text not null,
  is_system boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table roles is 'Roles of the application (not of the database).';
comment on column roles.is_system is 'Shipped with the schema: neither renamed nor deleted.';

create table role_permissions (
  role_id uuid not null references roles (id) on delete cascade,
  permission_id uuid not null references permissions (id) on delete cascade,
  created_at timestamptz not null default now(),
  primary key (role_id, permission_id)
);
comment on table role_permissions is 'Permissions that a role carries.';

create table role_assignments (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id),
  role_id uuid not null references roles (id),
  assigned_by uuid references users (id),
  reason text not null default '',
  assigned_at timestamptz not null default now(),
  expires_at timestamptz constraint role_assignments_expires_after_assignment check (expires_at > assigned_at),
  revoked_at timestamptz constraint role_assignments_revoked_after_assignment check (revoked_at >= assigned_at),
  revoked_by uuid references users (id),
  revoke_reason text check (revoke_reason <> ''),
  created_at timestamptz not null default now(),
  constraint role_assignments_not_by_oneself check (assigned_by <> user_id),
  constraint role_assignments_revoked_has_reason check ((revoked_at is null) = (revoke_reason is null)),
  constraint role_assignments_revoker_revoked check (revoked_by is null or revoked_at is not null),
  constraint role_assignments_no_overlap exclude using gist (
    user_id with =, role_id with =, tstzrange(assigned_at, least(expires_at, revoked_at)) with &&)
);
comment on table role_assignments is 'Roles that people hold or held, from when to when and by whom. Rows stay; an assignment ends by expiry or by being revoked.';
comment on column role_assignments.assigned_by is 'Null for what the set-up assigned.';
comment on column role_assignments.expires_at is 'The role counts until then; null means until it is revoked.';

create table api_key_permissions (
  api_key_id uuid not null references api_keys (id) on delete cascade,
  permission_id uuid not null references permissions (id) on delete cascade,
  created_at timestamptz not null default now(),
  primary key (api_key_id, permission_id)
);
comment on table api_key_permissions is 'Permissions that a key carries. They count while the key''s holder has them, too.';

create index role_permissions_permission_idx on role_permissions (permission_id);
create index role_assignments_user_idx on role_assignments (user_id, role_id);
create index role_assignments_role_idx on role_assignments (role_id, user_id);
create index role_assignments_assigned_by_idx on role_assignments (assigned_by) where assigned_by is not null;
create index role_assignments_revoked_by_idx on role_assignments (revoked_by) where revoked_by is not null;
create index role_assignments_expiring_idx on role_assignments (expires_at) where expires_at is not null;
create index api_key_permissions_permission_idx on api_key_permissions (permission_id);

-- Answers for the application

create function user_permissions(person uuid, as_of timestamptz default now()) returns setof text
  language sql stable parallel safe set search_path = pg_catalog, public, pg_temp
as $$
  select distinct permissions.name
  from users
  join role_assignments on role_assignments.user_id = users.id
  join role_permissions using (role_id)
  join permissions on permissions.id = permission_id
  where users.id = person and users.status = 'active' and users.deleted_at is null
    and assigned_at <= as_of and coalesce(expires_at > as_of, true) and coalesce(revoked_at > as_of, true)
$$;
comment on function user_permissions(uuid,
  timestamptz) is 'Names of the permissions that a user has through all roles held at a time; none for a user who is not active.';

create function user_may(person uuid, permission text, as_of timestamptz default now()) returns boolean
  language sql stable parallel safe set search_path = pg_catalog, public, pg_temp
as $$
  select exists (
    select
    from users
    join role_assignments on role_assignments.user_id = users.id
    join role_permissions using (role_id)
    join permissions on permissions.id = permission_id
    where users.id = person and users.status = 'active' and users.deleted_at is null and permissions.name = permission
      and assigned_at <= as_of and coalesce(expires_at > as_of, true) and coalesce(revoked_at > as_of, true))
$$;
comment on function user_may(uuid, text, timestamptz) is 'Whether a user has a permission (business:read) at a time.';

create function api_key_may(api_key uuid, permission text, as_of timestamptz default now()) returns boolean
  language sql stable parallel safe set search_path = pg_catalog, public, pg_temp
as $$
  select exists (
    select
    from api_keys
    join api_key_permissions on api_key_id = api_keys.id
    join permissions on permissions.id = permission_id
    where api_keys.id = api_key and permissions.name = permission
      and coalesce(expires_at > as_of, true) and coalesce(revoked_at > as_of, true)
      and user_may(api_keys.user_id, permission, as_of))
$$;
comment on function api_key_may(uuid, text,
  timestamptz) is 'Whether a key that is neither expired nor revoked carries a permission that its holder has.';

-- Rules

create function guard_system_role() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if not in_maintenance(tg_relid) and old.is_system and (tg_op = 'DELETE' or new.name <> old.name or not new.is_system) then
    raise exception 'role % comes with the schema: it is neither renamed nor deleted', old.name using errcode = 'restrict_violation';
  end if;
  return coalesce(new, old);
end
$$;
comment on function guard_system_role() is 'Trigger: keeps the roles that the application counts on.';

create trigger guard_system_role before update or delete on roles for each row execute function guard_system_role();
create trigger keep_facts before update on role_assignments
  for each row execute function keep_facts('reason', 'expires_at', 'revoked_at', 'revoked_by', 'revoke_reason');
create trigger keep_revoked before update on role_assignments for each row when (old.revoked_at is not null)
  execute function keep_facts('reason');
create trigger reject_row_change before delete on role_assignments for each row execute function reject_row_change();
create trigger reject_truncate before truncate on role_assignments for each statement execute function reject_row_change();
create trigger set_updated_at before update on roles for each row execute function set_updated_at();

create trigger audit_change after insert or update or delete on roles for each row execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on role_permissions
  for each row execute function audit_row_change('role_id,permission_id');
create trigger audit_change after insert or update or delete on role_assignments for each row execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on api_key_permissions
  for each row execute function audit_row_change('api_key_id,permission_id');

select revoke_from_grantees('role_assignments', array['DELETE', 'TRUNCATE']);
