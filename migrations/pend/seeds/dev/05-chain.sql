--! Title: Events of contracts, and calls of them

insert into contract_interactions (id, user_id, asset_id, transaction_id, chain_id, contract_address, function_name, arguments, sender_address, nonce, status,
  transaction_hash, block_number, gas_limit, gas_used, gas_price_wei, error_message, submitted_at, confirmed_at, created_at)
select md5('dev:interaction:' || paid.id)::uuid, paid.user_id, assets.id, paid.id, paid.chain_id, assets.contract_address,
  case paid.transaction_type when 'investment' then 'invest' when 'distribution' then 'distribute' else 'redeem' end,
  jsonb_build_object('investor', users.blockchain_address, 'amount', trunc(paid.amount * 1000000)::text), users.blockchain_address,
  row_number() over (partition by users.id order by paid.created_at, paid.id), case when paid.status = 'completed' then 'confirmed' else 'submitted' end,
  paid.transaction_hash, case when paid.status = 'completed' then block.number end, 200000,
  case when paid.status = 'completed' then 120000 end, case when paid.status = 'completed' then 30000000000 end, null,
  paid.created_at, case when paid.status = 'completed' then paid.completed_at end, paid.created_at
from transactions as paid
join investments on investments.id = paid.investment_id
join assets on assets.id = investments.asset_id
join users on users.id = paid.user_id
cross join lateral (select 60000000 + (extract(epoch from paid.created_at) / 2)::bigint % 10000000 as number) as block
where paid.idempotency_key like 'dev:%' and paid.method = 'blockchain'
on conflict (id) do nothing;

insert into contract_interactions (id, admin_user_id, asset_id, chain_id, contract_address, function_name, arguments, sender_address, nonce, status,
  transaction_hash, block_number, gas_limit, gas_used, gas_price_wei, error_message, submitted_at, confirmed_at, created_at)
select md5('dev:interaction:reverted')::uuid, admin.id, assets.id, 137, contract_address, 'pause', '{}', '0x' || repeat('ad', 20), 7, 'reverted',
  '0x' || encode(sha256('dev:hash:reverted'), 'hex'), 60000001, 100000, 31000, 30000000000, 'Ownable: caller is not the owner',
  admin.created_at - interval '3 days', admin.created_at - interval '3 days' + interval '4 seconds', admin.created_at - interval '3 days'
from (select id, created_at from admin_users where id = '20000000-0000-4000-8000-000000000001') as admin
join assets on assets.code = 'SOLAR-SET'
on conflict (id) do nothing;

insert into blockchain_events (id, chain_id, block_number, block_hash, transaction_hash, log_index, contract_address, event_type, from_address, to_address,
  amount, payload, occurred_at, status, attempts, processed_at, transaction_id)
select md5('dev:event:' || call.id || log_index)::uuid, call.chain_id, call.block_number, '0x' || encode(sha256(('dev:block:' || call.block_number)::bytea), 'hex'),
  call.transaction_hash, log_index, call.contract_address, event_type,
  case when call.function_name = 'invest' then call.sender_address else call.contract_address end,
  case when call.function_name = 'invest' then call.contract_address else call.sender_address end, trunc(paid.amount * 1000000), '{"seed": "dev"}',
  call.confirmed_at, case when log_index = 0 then 'ignored' else 'processed' end, 1, call.confirmed_at + interval '3 seconds',
  case when log_index = 1 then paid.id end
from contract_interactions as call
join transactions as paid on paid.id = call.transaction_id
cross join lateral (values (0, 'Transfer'), (1, case call.function_name when 'invest' then 'Invested' when 'redeem' then 'Redeemed' else 'DistributionPaid' end))
  as log (log_index, event_type)
where paid.idempotency_key like 'dev:%' and call.status = 'confirmed'
on conflict (id) do nothing;

-- One that waits, one that fails, and one whose block is gone.
insert into blockchain_events (id, chain_id, block_number, block_hash, transaction_hash, log_index, contract_address, event_type, from_address, to_address,
  amount, occurred_at, status, attempts, error_message)
select md5('dev:event:' || event.status)::uuid, 137, 70000000 + n, '0x' || encode(sha256(('dev:block:' || event.status)::bytea), 'hex'),
  '0x' || encode(sha256(('dev:hash:' || event.status)::bytea), 'hex'), 0, contract_address, 'Invested', '0x' || repeat('0b', 20), contract_address, 1000000 * n,
  admin.created_at - make_interval(mins => n), event.status, attempts, error_message
from (values (1, 'pending', 0, null), (2, 'failed', 3, 'No user has this address'), (3, 'orphaned', 1, null)) as event (n, status, attempts, error_message)
join assets on assets.code = 'COCOA-POOL'
cross join (select id, created_at from admin_users where id = '20000000-0000-4000-8000-000000000001') as admin
on conflict (id) do nothing;
