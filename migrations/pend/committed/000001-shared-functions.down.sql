drop function keep_rows(regclass);
drop function make_append_only(regclass);
drop function restrict_to_owner(regprocedure);
drop function revoke_from_grantees(regclass, text[]);
drop function reject_row_change();
drop function in_maintenance(oid);
drop function set_updated_at();
