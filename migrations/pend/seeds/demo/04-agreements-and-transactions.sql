--! Title: Agreements, payments, distributions and withdrawals

create or replace function pg_temp.draw(seed text) returns numeric
  language sql immutable return ('x' || left(md5(seed), 8))::bit(32)::bigint / 4294967296.0;

insert into investment_agreements (id, user_id, investment_id, agreement_type, version, document_sha256, ip, user_agent, decided_at)
select md5('demo:agreement:' || key)::uuid, user_id, investment_id, agreement_type, '2025-01', encode(sha256(agreement_type::bytea), 'hex'),
  inet '198.51.100.0' + floor(256 * pg_temp.draw(key))::integer, 'Mozilla/5.0', decided_at
from (
  select agreement_type || ':' || id as key, id as user_id, null::uuid as investment_id, agreement_type, created_at as decided_at
  from users cross join unnest(array['terms_of_service', 'privacy_policy', 'risk_disclosure']) as agreement_type
  where id::text like '31000000-0000-4000-8000-%' and status <> 'pending'
  union all
  select 'subscription:' || id, user_id, id, 'subscription', placed_at + interval '1 minute'
  from investments where id::text like '34000000-0000-4000-8000-%' and status <> 'cancelled'
) as agreed
on conflict (id) do nothing;

-- Each investment is paid for by a deposit and a payment on the chain, returns come monthly, and a third of them is withdrawn.
insert into transactions (id, user_id, investment_id, transaction_type, status, method, amount, fee, idempotency_key, provider, provider_reference, chain_id,
  transaction_hash, approved_by, approved_at, failure_reason, completed_at, created_at)
select md5('demo:transaction:' || key)::uuid, user_id, investment_id, transaction_type, moved.status, method, amount, round(amount * fee_rate, 2), 'demo:' || key,
  case when method in ('bank_transfer', 'card', 'mobile_money') then 'payhub' end, case when method in ('bank_transfer', 'card', 'mobile_money') then md5(key) end,
  case when on_chain then 137 end, case when on_chain then '0x' || encode(sha256(('demo:hash:' || key)::bytea), 'hex') end,
  case when transaction_type = 'withdrawal' and moved.status = 'completed' then '30000000-0000-4000-8000-000000000003'::uuid end,
  case when transaction_type = 'withdrawal' and moved.status = 'completed' then created_at + interval '2 minutes' end,
  case when moved.status = 'failed' then (array['Card was declined', 'Account is closed', 'No answer in time'])[1 + floor(3 * pg_temp.draw('why:' || key))::integer] end,
  case when moved.status = 'completed' then created_at + interval '4 minutes' end, created_at
from (
  select 'investment:' || id as key, user_id, id as investment_id, 'investment' as transaction_type,
    case status when 'pending' then 'pending' when 'cancelled' then 'failed' else 'completed' end as status, 'blockchain' as method, amount, 0 as fee_rate,
    placed_at as created_at
  from investments where id::text like '34000000-0000-4000-8000-%'
  union all
  select 'deposit:' || id, user_id, null, 'deposit', 'completed',
    (array['bank_transfer', 'card', 'mobile_money'])[1 + floor(3 * power(pg_temp.draw('method:' || id), 1.5))::integer], amount + fee, 0.001, placed_at - interval '1 hour'
  from investments where id::text like '34000000-0000-4000-8000-%'
  union all
  select 'redemption:' || id, user_id, id, 'redemption', 'completed', 'blockchain', redeemed_amount, 0, ended_at
  from investments where id::text like '34000000-0000-4000-8000-%' and status = 'redeemed'
  union all
  select format('distribution:%s:%s', investments.id, month), user_id, investments.id, 'distribution', 'completed', 'blockchain',
    greatest(0.01, round(amount * expected_return_rate / 12, 2)), 0, placed_at + make_interval(months => month)
  from investments
  cross join (select created_at from admin_users where id = '30000000-0000-4000-8000-000000000001') as director
  cross join generate_series(1, 12) as month
  where investments.id::text like '34000000-0000-4000-8000-%' and investments.status in ('active', 'redeemed')
    and placed_at + make_interval(months => month) < least(director.created_at, ended_at)
  union all
  select 'withdrawal:' || id, user_id, null, 'withdrawal',
    case when draw < 0.85 then 'completed' when draw < 0.92 then 'failed' when draw < 0.96 then 'cancelled' else 'pending' end, 'bank_transfer',
    round(greatest(5, amount * 0.2), 2), 0.002, placed_at + (director.created_at - placed_at) * draw::float
  from investments
  cross join (select created_at from admin_users where admin_users.id = '30000000-0000-4000-8000-000000000001') as director
  cross join lateral (select pg_temp.draw('withdrawal:' || id) as draw) as chance
  where id::text like '34000000-0000-4000-8000-%' and right(id::text, 1)::integer % 3 = 0
) as moved
cross join lateral (select method = 'blockchain' and moved.status = 'completed' as on_chain) as chained
on conflict (id) do nothing;
