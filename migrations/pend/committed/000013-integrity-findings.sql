--! Previous: sha1:ba62d8db00ec95dc6ab94ab3fe1554324467e877
--! Hash: sha1:e9e0bf69a1f844a06fbe9be8a4d11f8fefecaa75
--! Message: integrity findings

-- What constraints cannot say and triggers keep, looked at from outside: after an import from the JSON files, which runs in maintenance
-- or with triggers off, and before and after a change of the schema.

create function integrity_findings() returns table (finding text, table_name text, record_id text)
  language sql stable set search_path = pg_catalog, public, pg_temp
as $$
  select 'the KYC level is not that of the approved applications', 'users', users.id::text
  from users
  left join (select user_id, max(level) as level from kyc_applications where status = 'approved' group by user_id) as approved
    on approved.user_id = users.id
  where users.kyc_level <> coalesce(approved.level, 0)
  union all
  select 'the tier needs a higher KYC level', 'users', users.id::text
  from users
  join user_tiers on user_tiers.code = users.tier_code
  where user_tiers.required_kyc_level > users.kyc_level
  union all
  select 'the raised amount is not the sum of the investments', 'assets', assets.id::text
  from assets
  left join (select asset_id, sum(amount) as amount from investments where status <> 'cancelled' group by asset_id) as invested
    on invested.asset_id = assets.id
  where assets.raised_amount <> coalesce(invested.amount, 0)
  union all
  select 'the investment runs without a subscription agreement', 'investments', investments.id::text
  from investments
  where investments.activated_at is not null and not exists (
    select from investment_agreements
    where investment_agreements.investment_id = investments.id and investment_agreements.agreement_type = 'subscription')
  union all
  select 'the investment runs and is not paid', 'investments', investments.id::text
  from investments
  left join (
    select investment_id, sum(amount) as amount from transactions
    where transaction_type = 'investment' and status = 'completed' group by investment_id) as paid on paid.investment_id = investments.id
  where investments.activated_at is not null and coalesce(paid.amount, 0) < investments.amount
  union all
  select 'more was redeemed than the investment says', 'investments', investments.id::text
  from investments
  join (
    select investment_id, sum(amount) as amount from transactions
    where transaction_type = 'redemption' and status = 'completed' group by investment_id) as paid on paid.investment_id = investments.id
  where paid.amount > coalesce(investments.redeemed_amount, 0)
  union all
  select 'the event settled a transaction of another hash', 'blockchain_events', blockchain_events.id::text
  from blockchain_events
  join transactions on transactions.id = blockchain_events.transaction_id
  where transactions.transaction_hash is distinct from blockchain_events.transaction_hash
$$;
comment on function integrity_findings() is 'Rows that break a rule which no constraint can hold; none in a sound database. Reads whole tables.';
select restrict_to_owner('integrity_findings()');
