--! Previous: -
--! Hash: sha1:7e0802a9a183ec57077d5314ab48a1fc7e80a730
--! Message: shared functions

-- Amounts of money are US dollars, numeric(20,6): exact to the millionth, as the stablecoin has it that pays. Units of an asset are
-- numeric(24,8), rates numeric(9,6), amounts on a chain numeric(78,0), which holds every uint256. Times are timestamptz. Values from a
-- closed list are text with a check, because a check is changed in one statement and an enum value is never taken away again.
--
-- Each foreign key has an index that begins with its columns: joins from the parent, and deletes of parents, read no whole table. Indexes
-- come with their tables and are not built concurrently: the tables are new and empty. Later ones on tables in use are (see 000012).
--
-- Time is indexed by BRIN only where rows stay as they were inserted: where they are updated, new versions fill the gaps that old ones
-- left, and rows lie no longer in the order of their time.
--
-- legacy_id is where an import from the JSON files keeps the id that a row had there; it is null for rows born here.

do $$
begin
  if not exists (select from pg_extension where extname = 'pg_trgm') then
    raise exception 'extension pg_trgm is missing in database %', current_database()
      using hint = 'An administrator runs CREATE EXTENSION pg_trgm; the extensions needed stand in database.json.';
  end if;
end
$$;

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
  raise exception '% on % is not allowed: %', tg_op, tg_table_name, coalesce(tg_argv[0], 'the table is append-only')
    using errcode = 'restrict_violation',
          hint = 'For maintenance the table''s owner sets app.maintenance = ''on'' in its transaction.';
end
$$;
comment on function reject_row_change() is
  'Trigger: refuses what would change or lose a row to everyone but its owner in declared maintenance. Argument: the reason.';

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

create function make_append_only(relation regclass) returns void
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform revoke_from_grantees(relation, array['UPDATE', 'DELETE', 'TRUNCATE']);
  execute format('create trigger reject_row_change before update or delete on %s for each row execute function reject_row_change()', relation);
  execute format('create trigger reject_truncate before truncate on %s for each statement execute function reject_row_change()', relation);
end
$$;
comment on function make_append_only(regclass) is 'Lets rows of a table be read and added, by privilege and by trigger.';

create function keep_rows(relation regclass) returns void
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform revoke_from_grantees(relation, array['DELETE', 'TRUNCATE']);
  execute format(
    'create trigger reject_row_change before delete on %s for each row execute function reject_row_change(%L)', relation, 'rows are kept for ever');
  execute format(
    'create trigger reject_truncate before truncate on %s for each statement execute function reject_row_change(%L)', relation, 'rows are kept for ever');
end
$$;
comment on function keep_rows(regclass) is 'Lets no row of a table be deleted, by privilege and by trigger.';

-- Functions of a definer's rights or of maintenance must not be attachable to somebody's own temporary table.
select restrict_to_owner('reject_row_change()'),
       restrict_to_owner('revoke_from_grantees(regclass, text[])'),
       restrict_to_owner('make_append_only(regclass)'),
       restrict_to_owner('keep_rows(regclass)'),
       restrict_to_owner('restrict_to_owner(regprocedure)');
