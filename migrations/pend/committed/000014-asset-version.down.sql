drop trigger audit_change on assets;
create trigger audit_change after insert or update or delete on assets
  for each row execute function audit_row_change('id', 'raised_amount');
drop trigger bump_version on assets;
drop function bump_version();
alter table assets drop column version;
