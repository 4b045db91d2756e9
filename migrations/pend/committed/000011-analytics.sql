--! Previous: sha1:a60ac42f70de768a0a02fbfd422af6775d418285
--! Hash: sha1:cb5fe0fb246f537f49395b8be37b0ef72e278759
--! Message: analytics

-- What is about one user, one asset or the last days is read live through the indexes; what reads every transaction is materialized, and
-- refreshed by refresh_analytics(), say every ten minutes.

create materialized view transaction_days as
select (created_at at time zone 'UTC')::date as day, transaction_type, status, method, count(*) as transactions, sum(amount) as amount, sum(fee) as fees
from transactions
group by day, transaction_type, status, method;
comment on materialized view transaction_days is 'Transactions by day (UTC), type, status and method as of the latest refresh_analytics().';
create unique index transaction_days_key on transaction_days (day, transaction_type, status, method);

create materialized view asset_statistics as
select assets.id as asset_id, assets.asset_class, count(distinct user_id) filter (where investments.status in ('pending', 'active')) as investors,
  count(investments.id) as investments, coalesce(sum(amount) filter (where investments.status in ('pending', 'active')), 0) as invested,
  coalesce(sum(redeemed_amount), 0) as redeemed, coalesce(sum(amount) filter (where investments.status = 'defaulted'), 0) as defaulted
from assets
left join investments on investments.asset_id = assets.id
group by assets.id;
comment on materialized view asset_statistics is 'What is, and was, invested in each asset as of the latest refresh_analytics().';
create unique index asset_statistics_key on asset_statistics (asset_id);
create index asset_statistics_invested_idx on asset_statistics (invested desc);

create function refresh_analytics() returns void
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  refresh materialized view concurrently transaction_days;
  refresh materialized view concurrently asset_statistics;
end
$$;
comment on function refresh_analytics() is 'Brings the materialized statistics up to date; readers go on reading meanwhile. For the owner.';
select restrict_to_owner('refresh_analytics()');

-- Totals by type and month or day, read live: without these the planner takes each time for a group of its own, and sorts. They are for
-- queries that say date_trunc('month', created_at at time zone 'UTC').
create statistics transactions_by_month on transaction_type, (date_trunc('month', created_at at time zone 'UTC')) from transactions;
create statistics transactions_by_day on transaction_type, (date_trunc('day', created_at at time zone 'UTC')) from transactions;

-- A few users and assets make most of the traffic: 1,000 most common values instead of 100 let the planner see them.
alter table transactions alter column user_id set statistics 1000;
alter table investments alter column user_id set statistics 1000;
alter table investments alter column asset_id set statistics 1000;
