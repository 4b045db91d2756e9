drop table admin_permissions, admin_users;
