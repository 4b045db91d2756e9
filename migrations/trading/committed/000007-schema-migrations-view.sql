--! Previous: sha1:d2a874c9b411b0339b25ca283aa97696cafa7c5a
--! Hash: sha1:168fccbbd3be137dfaaeb497b22c3ead8ddaa708
--! Message: schema migrations view

-- Shows the applied migrations as a table. The view reads a function, because the tracking table can be created after
-- this file ran, and dropped. The function has the definer's rights, because only the owner can read the tracking table
-- and the ledger. The ledger has each file's name and duration. graphile-migrate's own CLI does not write the ledger.

create function applied_migrations()
  returns table (version bigint, name text, applied_at timestamptz, execution_ms double precision)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if to_regclass('graphile_migrate.migrations') is null then
    return;
  end if;
  if to_regclass('pgroundwork.migration_ledger') is null then
    return query execute
      'select substring(filename from ''^[0-9]+'')::bigint, filename, date, null::double precision
       from graphile_migrate.migrations';
    return;
  end if;
  return query execute
    'select substring(tracked.filename from ''^[0-9]+'')::bigint, coalesce(last_run.filename, tracked.filename),
       tracked.date, last_run.duration_ms
     from graphile_migrate.migrations as tracked
     left join lateral (
       select filename, duration_ms from pgroundwork.migration_ledger
       where hash = tracked.hash and direction = ''up'' order by id desc limit 1
     ) as last_run on true';
end
$$;
comment on function applied_migrations() is
  'Applied migrations, from graphile-migrate''s tracking table and the ledger of pgroundwork.';

create view schema_migrations as
  select version, name, applied_at, execution_ms from applied_migrations();
comment on view schema_migrations is
  'Applied migrations: number, file name, time, and duration in milliseconds. A reverted one has no row. Read-only.';
comment on column schema_migrations.execution_ms is
  'Null if no duration was recorded: by a baseline or by graphile-migrate''s own CLI.';

select restrict_to_owner('applied_migrations()'),
       revoke_from_grantees('schema_migrations', array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']);

-- The roles that may read the view need to execute its function.
do $$
declare
  reader text;
begin
  for reader in
    select coalesce(quote_ident(role.rolname), 'public')
    from pg_class as class
    cross join lateral aclexplode(class.relacl) as acl
    left join pg_roles as role on role.oid = acl.grantee
    where class.oid = 'schema_migrations'::regclass and acl.grantee <> class.relowner
      and acl.privilege_type = 'SELECT'
  loop
    execute format('grant execute on function applied_migrations() to %s', reader);
  end loop;
end
$$;
