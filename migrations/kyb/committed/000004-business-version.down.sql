drop trigger audit_change on businesses;
create trigger audit_change after insert or update or delete on businesses for each row execute function audit_row_change('id');
drop trigger bump_version on businesses;
drop function bump_version();
alter table businesses drop column version;
