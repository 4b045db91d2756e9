drop view schema_migrations;
drop function applied_migrations();
