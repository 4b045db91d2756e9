--! Previous: sha1:e9e0bf69a1f844a06fbe9be8a4d11f8fefecaa75
--! Hash: sha1:ca1ab4b6fb1b083651cb995a89e87f878cd26bca
--! Message: asset version

-- Two administrators who edit an asset at the same time: the second one is told, and overwrites nothing.
alter table assets add version integer not null default 1;
comment on column assets.version is 'Counted up at each change; an UPDATE names the version that it was made for.';

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

-- Money that comes in changes no version: an edit of the text does not conflict with an investment.
create trigger bump_version before update on assets for each row
  when (new.raised_amount = old.raised_amount)
  execute function bump_version();

-- The new number alone is no change worth a record.
drop trigger audit_change on assets;
create trigger audit_change after insert or update or delete on assets
  for each row execute function audit_row_change('id', 'raised_amount,version');
