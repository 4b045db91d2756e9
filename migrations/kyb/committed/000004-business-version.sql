--! Previous: sha1:9274ffb1028e330baaf6ae041bda125657223a12
--! Hash: sha1:b7ffb889947b9fccc1a128c8289a5a8bf4aceccf
--! Message: business version

-- Two people who edit a business at the same time: the second one is told, and overwrites nothing.
alter table businesses add version integer not null default 1;
comment on column businesses.version is 'Counted up at each change; an UPDATE names the version that it was made for.';

create function bump_version() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  new.version := old.version + 1;
  return new;
end
$$;
comment on function bump_version() is
  'Trigger: counts up version, so that UPDATE ... WHERE version = $n finds no row after another session''s change (optimistic lock).';

create trigger bump_version before update on businesses for each row execute function bump_version();

-- The new number alone is no change worth a record.
drop trigger audit_change on businesses;
create trigger audit_change after insert or update or delete on businesses
  for each row execute function audit_row_change('id', 'version');
