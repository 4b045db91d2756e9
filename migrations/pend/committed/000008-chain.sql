--! Previous: sha1:ab4ff09b573b2132d9bb2d1bc429d9d7d8e8d85d
--! Hash: sha1:7ecc10ad77273b4e2eb33765540a94c772dba8f6
--! Message: chain

-- What contracts wrote, and what they were asked.

create table blockchain_events (
  id uuid primary key default gen_random_uuid(),
  chain_id integer not null check (chain_id > 0),
  block_number bigint not null check (block_number >= 0),
  block_hash text not null check (block_hash ~ '^0x[0-9a-f]{64}$'),
  transaction_hash text not null check (transaction_hash ~ '^0x[0-9a-f]{64}$'),
  log_index integer not null check (log_index >= 0),
  contract_address text not null check (contract_address ~ '^0x[0-9a-f]{40}$'),
  event_type text not null check (event_type ~ '^[A-Z][A-Za-z0-9]{0,63}$'),
  from_address text check (from_address ~ '^0x[0-9a-f]{40}$'),
  to_address text check (to_address ~ '^0x[0-9a-f]{40}$'),
  amount numeric(78,0) check (amount >= 0),
  payload jsonb not null default '{}' check (jsonb_typeof(payload) = 'object'),
  occurred_at timestamptz not null,
  status text not null default 'pending' check (status in ('pending', 'processed', 'ignored', 'failed', 'orphaned')),
  attempts integer not null default 0 check (attempts >= 0),
  error_message text,
  processed_at timestamptz,
  transaction_id uuid references transactions (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint blockchain_events_processed_has_time check ((status in ('processed', 'ignored')) = (processed_at is not null)),
  constraint blockchain_events_failed_has_error check (status <> 'failed' or (error_message is not null and attempts > 0))
);
comment on table blockchain_events is 'Logs that contracts wrote, as read from the chain, and whether the platform has acted on them. Facts do not change.';
comment on column blockchain_events.event_type is 'Name of the event in the contract: Transfer, Invested, DistributionPaid.';
comment on column blockchain_events.amount is 'In the token''s smallest unit.';
comment on column blockchain_events.occurred_at is 'Time of the block.';
comment on column blockchain_events.status is 'orphaned: the block is no longer part of the chain; the same log may come again in another block.';
comment on column blockchain_events.transaction_id is 'The movement of money that the event settled.';

create table contract_interactions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid references users (id),
  admin_user_id uuid references admin_users (id),
  asset_id uuid references assets (id),
  transaction_id uuid references transactions (id),
  chain_id integer not null check (chain_id > 0),
  contract_address text not null check (contract_address ~ '^0x[0-9a-f]{40}$'),
  function_name text not null check (function_name ~ '^[a-zA-Z_][A-Za-z0-9_]{0,63}$'),
  arguments jsonb not null default '{}' check (jsonb_typeof(arguments) = 'object'),
  sender_address text not null check (sender_address ~ '^0x[0-9a-f]{40}$'),
  nonce bigint check (nonce >= 0),
  value_wei numeric(78,0) not null default 0 check (value_wei >= 0),
  status text not null default 'prepared' check (status in ('prepared', 'submitted', 'confirmed', 'reverted', 'dropped')),
  transaction_hash text check (transaction_hash ~ '^0x[0-9a-f]{64}$'),
  block_number bigint check (block_number >= 0),
  gas_limit bigint check (gas_limit > 0),
  gas_used bigint check (gas_used > 0),
  gas_price_wei numeric(78,0) check (gas_price_wei >= 0),
  fee_wei numeric(78,0) generated always as (gas_used * gas_price_wei) stored,
  error_message text,
  submitted_at timestamptz,
  confirmed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint contract_interactions_at_most_one_actor check (num_nonnulls(user_id, admin_user_id) <= 1),
  constraint contract_interactions_gas_within_limit check (gas_used <= gas_limit),
  constraint contract_interactions_sent_has_hash check (case when status in ('submitted', 'confirmed', 'reverted')
    then num_nulls(transaction_hash, nonce, submitted_at) = 0 else true end),
  constraint contract_interactions_mined_has_block check (case when status in ('confirmed', 'reverted')
    then num_nulls(block_number, gas_used, gas_price_wei, confirmed_at) = 0 else confirmed_at is null end),
  constraint contract_interactions_confirmed_after_submission check (confirmed_at >= submitted_at),
  constraint contract_interactions_reverted_has_error check (status <> 'reverted' or error_message is not null)
);
comment on table contract_interactions is 'Calls of contracts that the platform sends: by whom, for what, at which cost and with which end.';
comment on column contract_interactions.user_id is 'In whose name; with admin_user_id null, too, the system called by itself.';
comment on column contract_interactions.arguments is 'By name; amounts as strings, JSON numbers are not exact everywhere.';
comment on column contract_interactions.nonce is 'Of sender_address on the chain.';
comment on column contract_interactions.fee_wei is 'What the call cost.';

-- A log counts once, unless its block was orphaned.
create unique index blockchain_events_log_key on blockchain_events (chain_id, transaction_hash, log_index) where status <> 'orphaned';

create index idx_blockchain_events_contract on blockchain_events (contract_address, event_type);
create index blockchain_events_block_idx on blockchain_events (chain_id, block_number desc);
create index blockchain_events_waiting_idx on blockchain_events (occurred_at) where status in ('pending', 'failed');
create index blockchain_events_from_idx on blockchain_events (from_address, occurred_at desc) where from_address is not null;
create index blockchain_events_to_idx on blockchain_events (to_address, occurred_at desc) where to_address is not null;
create index blockchain_events_transaction_idx on blockchain_events (transaction_id) where transaction_id is not null;

create unique index contract_interactions_hash_key on contract_interactions (chain_id, transaction_hash) where transaction_hash is not null;
create index contract_interactions_contract_idx on contract_interactions (contract_address, function_name, created_at desc);
create index contract_interactions_user_idx on contract_interactions (user_id, created_at desc) where user_id is not null;
create index contract_interactions_admin_idx on contract_interactions (admin_user_id) where admin_user_id is not null;
create index contract_interactions_asset_idx on contract_interactions (asset_id) where asset_id is not null;
create index contract_interactions_transaction_idx on contract_interactions (transaction_id) where transaction_id is not null;
create index contract_interactions_open_idx on contract_interactions (submitted_at) where status = 'submitted';

create function keep_facts() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if not in_maintenance(tg_relid) and to_jsonb(new) - tg_argv::text[] is distinct from to_jsonb(old) - tg_argv::text[] then
    raise exception 'facts of % % do not change', tg_table_name, old.id
      using errcode = 'restrict_violation', hint = 'Only these columns may change: ' || array_to_string(tg_argv::text[], ', ');
  end if;
  return new;
end
$$;
comment on function keep_facts() is 'Trigger: only the columns named as arguments may change.';

create function guard_interaction_status() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if not in_maintenance(tg_relid) and not (case old.status
    when 'prepared' then new.status in ('submitted', 'dropped')
    when 'submitted' then new.status in ('confirmed', 'reverted', 'dropped')
    -- A reorganisation of the chain takes the block away, and the call waits again.
    when 'confirmed' then new.status = 'submitted'
    when 'reverted' then new.status = 'submitted'
    else false end) then
    raise exception 'contract interaction % cannot go from % to %', old.id, old.status, new.status
      using errcode = 'check_violation', constraint = 'contract_interactions_status_transition', table = 'contract_interactions';
  end if;
  return new;
end
$$;
comment on function guard_interaction_status() is 'Trigger: a call goes through its steps.';

create trigger keep_facts before update on blockchain_events for each row
  execute function keep_facts('status', 'attempts', 'error_message', 'processed_at', 'transaction_id', 'updated_at');
create trigger keep_facts before update on contract_interactions for each row
  execute function keep_facts('status', 'transaction_id', 'transaction_hash', 'nonce', 'block_number', 'gas_limit', 'gas_used', 'gas_price_wei', 'fee_wei',
    'error_message', 'submitted_at', 'confirmed_at', 'updated_at');
create trigger guard_status before update of status on contract_interactions for each row when (old.status <> new.status)
  execute function guard_interaction_status();
create trigger set_updated_at before update on blockchain_events for each row execute function set_updated_at();
create trigger set_updated_at before update on contract_interactions for each row execute function set_updated_at();
select keep_rows('blockchain_events'), keep_rows('contract_interactions');
