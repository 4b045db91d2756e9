--! Title: What the contracts were asked, and what they wrote

insert into contract_interactions (id, user_id, asset_id, transaction_id, chain_id, contract_address, function_name, arguments, sender_address, nonce, status,
  transaction_hash, block_number, gas_limit, gas_used, gas_price_wei, submitted_at, confirmed_at, created_at)
select md5('demo:interaction:' || paid.id)::uuid, case when paid.transaction_type = 'investment' then paid.user_id end, assets.id, paid.id, paid.chain_id,
  assets.contract_address, case paid.transaction_type when 'investment' then 'invest' when 'distribution' then 'distribute' else 'redeem' end,
  jsonb_build_object('investor', users.blockchain_address, 'amount', trunc(paid.amount * 1000000)::text),
  case when paid.transaction_type = 'investment' then users.blockchain_address else '0x' || repeat('de', 20) end,
  row_number() over (partition by paid.transaction_type = 'investment', users.id order by paid.created_at, paid.id), 'confirmed', paid.transaction_hash,
  60000000 + (extract(epoch from paid.created_at) / 2)::bigint % 10000000, 200000, 90000 + ('x' || left(md5(paid.id::text), 4))::bit(16)::integer,
  (25 + ('x' || left(md5(paid.id::text), 1))::bit(4)::integer) * 1000000000::numeric, paid.created_at, paid.completed_at, paid.created_at
from transactions as paid
join investments on investments.id = paid.investment_id
join assets on assets.id = investments.asset_id
join users on users.id = paid.user_id
where paid.idempotency_key like 'demo:%' and paid.transaction_hash is not null
on conflict (id) do nothing;

insert into blockchain_events (id, chain_id, block_number, block_hash, transaction_hash, log_index, contract_address, event_type, from_address, to_address, amount,
  payload, occurred_at, status, attempts, processed_at, transaction_id)
select md5('demo:event:' || call.id || log_index)::uuid, call.chain_id, call.block_number, '0x' || encode(sha256(('demo:block:' || call.block_number)::bytea), 'hex'),
  call.transaction_hash, log_index, call.contract_address, event_type, case when call.function_name = 'invest' then call.sender_address else call.contract_address end,
  case when call.function_name = 'invest' then call.contract_address else call.arguments ->> 'investor' end, (call.arguments ->> 'amount')::numeric, '{"seed": "demo"}',
  call.confirmed_at, case when log_index = 0 then 'ignored' else 'processed' end, 1, call.confirmed_at + interval '2 seconds',
  case when log_index = 1 then call.transaction_id end
from contract_interactions as call
join transactions as paid on paid.id = call.transaction_id
cross join lateral (values (0, 'Transfer'), (1, case call.function_name when 'invest' then 'Invested' when 'redeem' then 'Redeemed' else 'DistributionPaid' end))
  as log (log_index, event_type)
where paid.idempotency_key like 'demo:%' and call.status = 'confirmed'
on conflict (id) do nothing;
