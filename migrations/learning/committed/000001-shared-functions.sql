--! Previous: -
--! Hash: sha1:8ce7da64649fb95806a48c77438e99aad06981e5
--! Message: shared functions

-- Points are numeric(8,2), shares of one numeric(5,4), percentages numeric(5,2): exact. Times are timestamptz. Values from a closed
-- list are text with a check, because a check is changed in one statement and an enum value is never taken away again.
--
-- legacy_id is where an import keeps the id that a row had in the system before; it is null for rows born here.
--
-- What belongs to a person goes with the person: one DELETE on users erases a learner. Content goes only when nobody has used it.

-- Tables are indexed in the file that makes them: nobody writes to them yet, so nothing is built concurrently (an index on a table in use
-- is, see the grading queue's). Each foreign key has an index that begins with its columns: joins from the parent, and deletes of
-- parents, read no whole table. Time is indexed by BRIN only where rows stay as they were inserted: where they are updated, new versions
-- fill the gaps that old ones left, and rows lie no longer in the order of their time.

do $$
begin
  if not exists (select from pg_extension where extname = 'pg_trgm') then
    raise exception 'extension pg_trgm is missing in database %', current_database()
      using hint = 'An administrator runs CREATE EXTENSION pg_trgm; the extensions needed stand in database.json.';
  end if;
end
$$;

-- Shared trigger functions

create function set_updated_at() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := now();
  return new;
end
$$;
comment on function set_updated_at() is 'Trigger: stamps updated_at with the time of the transaction.';

create function in_maintenance(relation oid) returns boolean
  language sql stable set search_path = pg_catalog, pg_temp
as $$
  -- The owner could disable triggers anyway; the setting makes that a deliberate act within one transaction.
  select coalesce(current_setting('app.maintenance', true), '') = 'on'
    and pg_has_role(current_user, (select relowner from pg_class where oid = relation), 'usage')
$$;
comment on function in_maintenance(oid) is
  'Whether a table''s owner declared maintenance (SET LOCAL app.maintenance = ''on''): imports of finished work and corrections.';

create function reject_row_change() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if in_maintenance(tg_relid) then
    return coalesce(new, old);
  end if;
  raise exception '% on % is not allowed: the table is append-only', tg_op, tg_table_name
    using errcode = 'restrict_violation',
          hint = 'Insert a correcting row. For maintenance the table''s owner sets app.maintenance = ''on'' in its transaction.';
end
$$;
comment on function reject_row_change() is 'Trigger: keeps a table append-only for everyone but its owner in declared maintenance.';

create function keep_columns() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  kept text;
begin
  foreach kept in array tg_argv loop
    if to_jsonb(new) -> kept <> to_jsonb(old) -> kept and not in_maintenance(tg_relid) then
      raise exception '% of % never changes', kept, tg_table_name
        using errcode = 'check_violation', constraint = tg_table_name || '_identity_stays', table = tg_table_name;
    end if;
  end loop;
  return new;
end
$$;
comment on function keep_columns() is 'Trigger: keeps the columns that its arguments name. For columns that are not null.';

create function revoke_from_grantees(relation regclass, revoked text[]) returns void
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  held record;
begin
  for held in
    select acl.privilege_type, coalesce(quote_ident(role.rolname), 'public') as grantee
    from pg_class as class
    cross join lateral aclexplode(class.relacl) as acl
    left join pg_roles as role on role.oid = acl.grantee
    where class.oid = relation and acl.grantee <> class.relowner and acl.privilege_type = any (revoked)
  loop
    execute format('revoke %s on table %s from %s', held.privilege_type, relation, held.grantee);
  end loop;
end
$$;
comment on function revoke_from_grantees(regclass, text[]) is
  'Takes the named privileges on a table from everyone but its owner. Reads who holds them, so it fits any role names.';

create function restrict_to_owner(routine regprocedure) returns void
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  held record;
begin
  for held in
    select distinct coalesce(quote_ident(role.rolname), 'public') as grantee
    from pg_proc as proc
    cross join lateral aclexplode(coalesce(proc.proacl, acldefault('f', proc.proowner))) as acl
    left join pg_roles as role on role.oid = acl.grantee
    where proc.oid = routine and acl.grantee <> proc.proowner
  loop
    execute format('revoke all on function %s from %s', routine, held.grantee);
  end loop;
end
$$;
comment on function restrict_to_owner(regprocedure) is
  'Takes EXECUTE on a function from everyone but its owner. Triggers still fire: that needs no EXECUTE.';

select restrict_to_owner('reject_row_change()'),
       restrict_to_owner('keep_columns()'),
       restrict_to_owner('revoke_from_grantees(regclass, text[])'),
       restrict_to_owner('restrict_to_owner(regprocedure)');
