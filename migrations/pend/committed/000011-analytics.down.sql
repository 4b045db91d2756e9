alter table investments alter column asset_id set statistics default;
alter table investments alter column user_id set statistics default;
alter table transactions alter column user_id set statistics default;
drop statistics transactions_by_day, transactions_by_month;
drop function refresh_analytics();
drop materialized view asset_statistics;
drop materialized view transaction_days;
