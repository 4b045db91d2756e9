--! Title: Investments, agreements and the money that moved

-- Finished work, so without its steps.
set local app.maintenance = 'on';

insert into investments (id, user_id, asset_id, status, amount, fee, unit_price, units, expected_return_rate, redeemed_amount, source, cancel_reason,
  placed_at, activated_at, matures_at, ended_at, created_at)
select ('24000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, ('21000000-0000-4000-8000-' || lpad(person::text, 12, '0'))::uuid, asset.id, invested.status,
  amount, round(amount * 0.01, 2), asset.unit_price, round(amount / asset.unit_price, 8), asset.expected_return_rate,
  case when invested.status = 'redeemed' then round(amount * 1.03, 2) end, (array['web', 'mobile', 'api'])[1 + n % 3],
  case when invested.status = 'cancelled' then 'Changed mind' end, placed_at,
  case when invested.status in ('active', 'redeemed', 'defaulted') then placed_at + interval '10 minutes' end,
  case when asset.term_months is not null then placed_at + make_interval(months => asset.term_months) end,
  case when invested.status in ('redeemed', 'defaulted', 'cancelled') then placed_at + interval '50 days' end, placed_at
from (values
  (1, 1, 'SOLAR-SET', 'active', 20000, 25), (2, 1, 'COCOA-POOL', 'active', 5000, 100), (3, 1, 'HOMES-LEE', 'active', 75000, 15),
  (4, 2, 'SOLAR-SET', 'active', 2500, 20), (5, 2, 'WIND-NOR', 'active', 10000, 80), (6, 2, 'OFFICE-HAM', 'redeemed', 4000, 110),
  (7, 3, 'WIND-NOR', 'active', 5000, 70), (8, 3, 'SOLAR-SET', 'pending', 1200, 0), (9, 6, 'COCOA-POOL', 'defaulted', 300, 65),
  (10, 6, 'INVOICE-POOL', 'cancelled', 500, 55), (11, 1, 'BRIDGE-OPO', 'redeemed', 20000, 120), (12, 2, 'INVOICE-POOL', 'pending', 900, 0)
) as invested (n, person, code, status, amount, days)
join assets as asset on asset.code = invested.code
cross join lateral (
  select created_at - make_interval(days => days, hours => 1) as placed_at from admin_users where id = '20000000-0000-4000-8000-000000000001') as anchor
on conflict (id) do nothing;

insert into investment_agreements (id, user_id, investment_id, agreement_type, version, decision, document_sha256, ip, user_agent, decided_at)
select md5('dev:agreement:' || key)::uuid, user_id, investment_id, agreement_type, '2025-01', decision, encode(sha256(agreement_type::bytea), 'hex'),
  '203.0.113.10', 'Mozilla/5.0', decided_at
from (
  select agreement_type || ':' || id as key, id as user_id, null::uuid as investment_id, agreement_type, 'accepted' as decision, created_at as decided_at
  from users cross join unnest(array['terms_of_service', 'privacy_policy', 'risk_disclosure']) as agreement_type
  where id::text like '21000000-0000-4000-8000-%' and status <> 'pending'
  union all
  select 'data_sharing:' || decision, id, null, 'data_sharing', decision, created_at + make_interval(days => days)
  from users cross join (values ('accepted', 1), ('withdrawn', 9)) as made (decision, days)
  where id = '21000000-0000-4000-8000-000000000002'
  union all
  select 'subscription:' || id, user_id, id, 'subscription', 'accepted', placed_at + interval '1 minute'
  from investments where id::text like '24000000-0000-4000-8000-%'
) as agreed
on conflict (id) do nothing;

-- Deposits; what was paid for investments, paid back and paid out; withdrawals in every status.
insert into transactions (id, user_id, investment_id, transaction_type, status, method, amount, fee, idempotency_key, provider, provider_reference, chain_id,
  transaction_hash, approved_by, approved_at, failure_reason, completed_at, description, created_at)
select md5('dev:transaction:' || key)::uuid, user_id, investment_id, transaction_type, status, method, amount, fee, 'dev:' || key,
  case when method in ('bank_transfer', 'card', 'mobile_money') then 'payhub' end,
  case when method in ('bank_transfer', 'card', 'mobile_money') then md5(key) end,
  case when on_chain then 137 end, case when on_chain then '0x' || encode(sha256(('dev:hash:' || key)::bytea), 'hex') end,
  case when transaction_type = 'withdrawal' and status in ('processing', 'completed', 'failed') then '20000000-0000-4000-8000-000000000003'::uuid end,
  case when transaction_type = 'withdrawal' and status in ('processing', 'completed', 'failed') then created_at + interval '1 minute' end,
  case when status = 'failed' then 'Account is closed' end, case when status = 'completed' then created_at + interval '5 minutes' end, '', created_at
from (
  select 'investment:' || id as key, user_id, id as investment_id, 'investment' as transaction_type,
    case status when 'pending' then 'processing' else 'completed' end as status, 'blockchain' as method, amount, 0 as fee,
    placed_at as created_at
  from investments where id::text like '24000000-0000-4000-8000-%'
  union all
  select 'redemption:' || id, user_id, id, 'redemption', 'completed', 'blockchain', redeemed_amount, 0, ended_at
  from investments where id::text like '24000000-0000-4000-8000-%' and status = 'redeemed'
  union all
  select 'refund:' || id, user_id, id, 'refund', 'completed', 'blockchain', amount, 0, ended_at
  from investments where id::text like '24000000-0000-4000-8000-%' and status = 'cancelled'
  union all
  select format('distribution:%s:%s', id, month), user_id, id, 'distribution', 'completed', 'blockchain', round(amount * expected_return_rate / 12, 2), 0,
    placed_at + make_interval(months => month)
  from investments cross join generate_series(1, 3) as month
  where id::text like '24000000-0000-4000-8000-%' and status in ('active', 'redeemed') and placed_at + make_interval(months => month) < (
      select created_at from admin_users where id = '20000000-0000-4000-8000-000000000001')
  union all
  select 'deposit:' || n, ('21000000-0000-4000-8000-' || lpad(person::text, 12, '0'))::uuid, null, transaction_type, status, method, amount, fee,
    admin.created_at - make_interval(days => days)
  from (values
    (1, 1, 'deposit', 'completed', 'bank_transfer', 150000, 0.0, 160), (2, 2, 'deposit', 'completed', 'bank_transfer', 20000, 0.0, 140),
    (3, 3, 'deposit', 'completed', 'card', 7000, 101.5, 100), (4, 6, 'deposit', 'completed', 'mobile_money', 1000, 5.0, 66),
    (5, 4, 'deposit', 'pending', 'card', 100, 1.45, 0), (6, 1, 'withdrawal', 'completed', 'bank_transfer', 3000, 2.0, 30),
    (7, 2, 'withdrawal', 'pending', 'bank_transfer', 800, 2.0, 1), (8, 6, 'withdrawal', 'failed', 'mobile_money', 50, 0.5, 10),
    (9, 3, 'withdrawal', 'cancelled', 'card', 120, 1.0, 12), (10, 1, 'fee', 'completed', 'wallet', 25, 0.0, 8),
    (11, 1, 'withdrawal', 'processing', 'bank_transfer', 1500, 2.0, 0)
  ) as moved (n, person, transaction_type, status, method, amount, fee, days)
  cross join (select id, created_at from admin_users where id = '20000000-0000-4000-8000-000000000001') as admin
) as movement
cross join lateral (select method = 'blockchain' and status in ('processing', 'completed') as on_chain) as chained
on conflict (id) do nothing;
