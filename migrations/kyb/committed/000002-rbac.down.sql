drop function api_key_may(uuid, text, timestamptz);
drop function user_may(uuid, text, timestamptz);
drop function user_permissions(uuid, timestamptz);

drop table api_key_permissions, role_assignments, role_permissions, roles, permissions;

drop function guard_system_role();
