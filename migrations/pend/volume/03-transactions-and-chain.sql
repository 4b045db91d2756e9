-- Money that moved, and what of it the chain saw. Rows come in the order of their time, as they would in life. See the first file.

create or replace function pg_temp.draw(digest text, nth integer) returns double precision
  language sql immutable
  return ('x' || substr(digest, nth * 8 - 7, 8))::bit(32)::bigint::double precision / 4294967296;

alter table transactions disable trigger user;
alter table blockchain_events disable trigger user;
alter table contract_interactions disable trigger user;

-- Of five transactions one pays an investment, one in ten is about an older investment, once for each (its redemption, if it was redeemed),
-- and the others are drawn: distributions, deposits, withdrawals, fees. The newest 0.3 % wait.
insert into transactions (id, user_id, investment_id, transaction_type, status, method, amount, fee, idempotency_key, provider, provider_reference, chain_id,
  transaction_hash, approved_by, approved_at, failure_reason, completed_at, created_at, updated_at)
select md5('volume:transaction:' || n)::uuid, coalesce(investments.user_id, md5('volume:user:' || user_number)::uuid), investments.id, kind, ended.status, method,
  case kind when 'investment' then investments.amount when 'redemption' then investments.redeemed_amount
    when 'distribution' then greatest(0.01, round(investments.amount * investments.expected_return_rate / 12, 2))
    else round((5 + 3000 * power(pg_temp.draw(digest, 3), 4))::numeric, 2) end,
  case when kind = 'withdrawal' then 0.5 else 0 end, 'volume:' || n, case when method in ('bank_transfer', 'card', 'mobile_money') then 'volume' end,
  case when method in ('bank_transfer', 'card', 'mobile_money') then n::text end, case when on_chain then 137 end,
  case when on_chain then '0x' || md5('volume:hash:' || n) || md5('volume:hash:more:' || n) end,
  case when kind = 'withdrawal' and ended.status = 'completed' then md5('volume:admin:' || 3 + 5 * (n % 2))::uuid end,
  case when kind = 'withdrawal' and ended.status = 'completed' then moved_at + interval '1 minute' end,
  case when ended.status = 'failed' then (array['Card was declined', 'Account is closed', 'No answer in time'])[1 + n % 3] end,
  case when ended.status = 'completed' then moved_at + interval '2 minutes' end, moved_at, moved_at + interval '2 minutes'
from (
  select n, digest, 1 - n / rows_count::double precision as age, timestamptz '2024-01-01 00:00:00+00' + interval '731 days' * (n - 1) / rows_count as moved_at,
    -- Of the users those who had joined by then.
    1 + floor(users_count * (365 + 725.0 * n / rows_count) / 1101 * power(pg_temp.draw(digest, 1), 2))::bigint as user_number,
    case when n % 5 = 0 then n / 5 when n % 10 = 1 and n > 10 then n / 10
      when pg_temp.draw(digest, 2) < 0.45 and n > 10 then 1 + floor(n / 10 * power(pg_temp.draw(digest, 4), 1.5))::bigint end as investment_number
  from (
    select rows_count, greatest(20, rows_count / 20) as users_count
    from (select current_setting('pgroundwork.volume_rows')::bigint as rows_count) as asked
  ) as scale
  cross join generate_series(1, rows_count) as n
  cross join lateral (select md5('volume:transaction:draw:' || n) as digest) as chance
) as drawn
left join investments as about on about.id = md5('volume:investment:' || investment_number)::uuid
cross join lateral (
  select case when n % 5 = 0 then 'investment' when n % 10 = 1 and about.status = 'redeemed' then 'redemption' when about.status in ('active', 'redeemed') then 'distribution'
    when pg_temp.draw(digest, 2) < 0.78 then 'deposit' when pg_temp.draw(digest, 2) < 0.95 then 'withdrawal' else 'fee' end as kind
) as typed
left join investments on investments.id = about.id and kind in ('investment', 'redemption', 'distribution')
cross join lateral (
  select case when kind in ('investment', 'redemption', 'distribution') then 'blockchain' when kind = 'fee' then 'wallet'
      else (array['mobile_money', 'bank_transfer', 'card'])[1 + floor(3 * power(pg_temp.draw(digest, 4), 1.5))::integer] end as method,
    case when kind = 'investment' then case investments.status when 'pending' then case when n % 2 = 0 then 'pending' else 'processing' end
        when 'cancelled' then 'failed' else 'completed' end
      when age < 0.003 then case when n % 3 = 0 then 'processing' else 'pending' end
      when kind in ('deposit', 'withdrawal') and n % 40 = 7 then 'failed' when kind in ('deposit', 'withdrawal') and n % 90 = 3 then 'cancelled' else 'completed' end as status
) as ended
cross join lateral (select method = 'blockchain' and ended.status = 'completed' as on_chain) as chained
order by n;
analyze transactions;

-- A call for each payment and each redemption; every tenth payment was tried in vain before.
insert into contract_interactions (id, user_id, asset_id, transaction_id, chain_id, contract_address, function_name, arguments, sender_address, nonce, status,
  transaction_hash, block_number, gas_limit, gas_used, gas_price_wei, error_message, submitted_at, confirmed_at, created_at, updated_at)
select md5('volume:call:' || idempotency_key || try)::uuid, transactions.user_id, assets.id, case when try = 0 then transactions.id end, transactions.chain_id,
  assets.contract_address, case transaction_type when 'investment' then 'invest' else 'redeem' end, jsonb_build_object('amount', trunc(transactions.amount * 1000000)::text),
  users.blockchain_address, n * 2 - try, case try when 0 then 'confirmed' else 'reverted' end,
  case try when 0 then transaction_hash else '0x' || md5('volume:revert:' || n) || md5('volume:revert:more:' || n) end, 50000000 + n, 200000,
  60000 + n % 90000, 1000000000 * (20 + n % 60), case when try = 1 then (array['Asset: not open', 'ERC20: insufficient allowance', 'Out of gas'])[1 + n % 3] end,
  completed_at - interval '30 seconds' - interval '30 seconds' * try,
  completed_at - interval '30 seconds' * try, transactions.created_at, completed_at
from transactions
join investments on investments.id = investment_id
join assets on assets.id = asset_id
join users on users.id = transactions.user_id
cross join lateral (select substr(idempotency_key, 8)::bigint as n) as numbered
cross join lateral generate_series(0, case when n % 50 = 0 then 1 else 0 end) as try
where idempotency_key like 'volume:%' and transaction_type in ('investment', 'redemption') and transaction_hash is not null
order by n, try desc;

-- What was settled on the chain, and a transfer of tokens beside every fourth payment. The newest thousandth waits to be read.
insert into blockchain_events (id, chain_id, block_number, block_hash, transaction_hash, log_index, contract_address, event_type, from_address, to_address, amount,
  payload, occurred_at, status, attempts, error_message, processed_at, transaction_id, created_at, updated_at)
select md5(format('volume:event:%s:%s', n, log_index))::uuid, transactions.chain_id, 50000000 + n, '0x' || md5('volume:block:' || n) || md5('volume:block:more:' || n), transaction_hash,
  log_index, assets.contract_address, event_type, case transaction_type when 'investment' then users.blockchain_address else assets.contract_address end,
  case transaction_type when 'investment' then assets.contract_address else users.blockchain_address end, trunc(transactions.amount * 1000000), '{}', completed_at, seen.status,
  case seen.status when 'pending' then 0 else 1 end, case seen.status when 'failed' then 'No answer from the node' end,
  case when seen.status in ('processed', 'ignored') then completed_at + interval '5 seconds' end, case when seen.status = 'processed' then transactions.id end, completed_at, completed_at
from transactions
join investments on investments.id = investment_id
join assets on assets.id = asset_id
join users on users.id = transactions.user_id
cross join lateral (select substr(idempotency_key, 8)::bigint as n) as numbered
cross join lateral (values (0, case transaction_type when 'investment' then 'Invested' when 'redemption' then 'Redeemed' else 'DistributionPaid' end), (1, 'Transfer'))
  as log (log_index, event_type)
cross join lateral (
  select case when n > current_setting('pgroundwork.volume_rows')::bigint * 0.999 then 'pending' when log_index = 1 then 'ignored'
      when n % 1000 = 5 then 'failed' else 'processed' end as status
) as seen
where idempotency_key like 'volume:%' and transaction_hash is not null and (log_index = 0 or n % 20 = 0)
order by n, log_index;

alter table transactions enable trigger user;
alter table blockchain_events enable trigger user;
alter table contract_interactions enable trigger user;

analyze contract_interactions, blockchain_events;
