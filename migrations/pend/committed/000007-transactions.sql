--! Previous: sha1:74629052ad2a467070e11bc17a423dd50df3cb5e
--! Hash: sha1:ab4ff09b573b2132d9bb2d1bc429d9d7d8e8d85d
--! Message: transactions

create table transactions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id),
  investment_id uuid,
  transaction_type text not null check (transaction_type in (
    'deposit', 'withdrawal', 'investment', 'distribution', 'redemption', 'refund', 'fee')),
  status text not null default 'pending' check (status in ('pending', 'processing', 'completed', 'failed', 'cancelled')),
  method text not null check (method in ('blockchain', 'bank_transfer', 'card', 'mobile_money', 'wallet')),
  amount numeric(20,6) not null check (amount > 0),
  fee numeric(20,6) not null default 0 constraint transactions_fee_below_amount check (fee >= 0 and fee < amount),
  net_amount numeric(20,6) generated always as (amount - fee) stored,
  idempotency_key text not null unique check (idempotency_key <> '' and length(idempotency_key) <= 128),
  provider text check (provider <> ''),
  provider_reference text,
  chain_id integer check (chain_id > 0),
  transaction_hash text check (transaction_hash ~ '^0x[0-9a-f]{64}$'),
  approved_by uuid references admin_users (id),
  approved_at timestamptz,
  failure_reason text,
  completed_at timestamptz,
  description text not null default '',
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (investment_id, user_id) references investments (id, user_id),
  constraint transactions_investment_named check ((investment_id is not null) = (transaction_type in (
    'investment', 'distribution', 'redemption', 'refund'))),
  constraint transactions_reference_has_provider check (provider_reference is null or provider is not null),
  constraint transactions_hash_has_chain check ((transaction_hash is null) = (chain_id is null)),
  constraint transactions_hash_on_chain check (transaction_hash is null or method = 'blockchain'),
  constraint transactions_completed_on_chain check (method <> 'blockchain' or status <> 'completed' or transaction_hash is not null),
  constraint transactions_approved_has_time check ((approved_by is null) = (approved_at is null)),
  constraint transactions_withdrawal_approved check (transaction_type <> 'withdrawal' or status <> 'completed' or approved_by is not null),
  constraint transactions_completed_has_time check ((status = 'completed') = (completed_at is not null)),
  constraint transactions_completed_after_creation check (completed_at >= created_at),
  constraint transactions_failed_has_reason check ((status = 'failed') = (failure_reason is not null))
);
comment on table transactions is 'Every movement of money, from request to end. One that has ended no longer changes, and none is ever deleted.';
comment on column transactions.idempotency_key is 'Chosen by the caller: the same request sent twice is one transaction.';
comment on column transactions.investment_id is 'The foreign key spans the user, too: nobody pays for, or is paid from, another''s investment.';
comment on column transactions.fee is 'Part of amount that the house or the provider keeps.';

-- Everybody's transactions by time, with what dashboards and analytics add up, without the table; a user's history.
create index idx_transactions_timestamp on transactions (created_at desc) include (transaction_type, status, amount);
create index transactions_user_idx on transactions (user_id, created_at desc);

create index transactions_investment_idx on transactions (investment_id, user_id) where investment_id is not null;
create unique index transactions_provider_key on transactions (provider, provider_reference) where provider_reference is not null;
create index transactions_hash_idx on transactions (transaction_hash) where transaction_hash is not null;
create index transactions_approved_by_idx on transactions (approved_by) where approved_by is not null;

create function transaction_transition_allowed(old_status text, new_status text) returns boolean
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select case old_status
    when 'pending' then new_status in ('processing', 'completed', 'failed', 'cancelled')
    when 'processing' then new_status in ('completed', 'failed')
    else false end
$$;
comment on function transaction_transition_allowed(text, text) is 'Whether a transaction may go from one status to the other. What is processing cannot be called back.';

create function guard_transaction_update() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  -- A generated column is not computed yet in a trigger that comes before.
  ignored constant text[] := '{metadata,description,net_amount,updated_at}';
begin
  if in_maintenance(tg_relid) then
    return new;
  end if;
  if (new.user_id, new.investment_id, new.transaction_type, new.method, new.amount, new.idempotency_key, new.created_at) is distinct from
     (old.user_id, old.investment_id, old.transaction_type, old.method, old.amount, old.idempotency_key, old.created_at) then
    raise exception 'transaction % stays what was asked for', old.id
      using errcode = 'check_violation', constraint = 'transactions_terms_stay', table = 'transactions',
            hint = 'Cancel it and make another.';
  end if;
  if new.status <> old.status and not transaction_transition_allowed(old.status, new.status) then
    raise exception 'transaction % cannot go from % to %', old.id, old.status, new.status
      using errcode = 'check_violation', constraint = 'transactions_status_transition', table = 'transactions';
  end if;
  if new.status = old.status and old.status in ('completed', 'failed', 'cancelled')
     and to_jsonb(new) - ignored is distinct from to_jsonb(old) - ignored then
    raise exception 'transaction % is % and no longer changes', old.id, old.status
      using errcode = 'check_violation', constraint = 'transactions_end_stays', table = 'transactions',
            hint = 'Description and metadata may still be written.';
  end if;
  return new;
end
$$;
comment on function guard_transaction_update() is 'Trigger: a transaction stays what was asked for, and one that has ended stays as it ended.';

-- What becomes active is agreed to and paid; so this stands here and not with the investments.

create function investment_transition_allowed(old_status text, new_status text) returns boolean
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select case old_status
    when 'pending' then new_status in ('active', 'cancelled')
    when 'active' then new_status in ('redeemed', 'defaulted')
    else false end
$$;
comment on function investment_transition_allowed(text, text) is 'Whether an investment may go from one status to the other.';

create function guard_investment_update() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if in_maintenance(tg_relid) then
    return new;
  end if;
  if (new.user_id, new.asset_id, new.amount, new.fee, new.unit_price, new.units, new.expected_return_rate, new.placed_at) is distinct from
     (old.user_id, old.asset_id, old.amount, old.fee, old.unit_price, old.units, old.expected_return_rate, old.placed_at) then
    raise exception 'investment %: its terms stay', old.id
      using errcode = 'check_violation', constraint = 'investments_terms_stay', table = 'investments',
            hint = 'Cancel it while it is pending and place another.';
  end if;
  if new.status = old.status then
    return new;
  end if;
  if not investment_transition_allowed(old.status, new.status) then
    raise exception 'investment % cannot go from % to %', old.id, old.status, new.status
      using errcode = 'check_violation', constraint = 'investments_status_transition', table = 'investments';
  end if;
  if new.status = 'active' and not exists (
    select from investment_agreements where investment_id = new.id and user_id = new.user_id and agreement_type = 'subscription') then
    raise exception 'investment % has no subscription agreement', old.id
      using errcode = 'check_violation', constraint = 'investments_active_is_agreed', table = 'investments';
  end if;
  if new.status = 'active' and new.amount > (
    select coalesce(sum(amount), 0) from transactions
    where investment_id = new.id and user_id = new.user_id and transaction_type = 'investment' and status = 'completed') then
    raise exception 'investment % of % is not paid', old.id, old.amount
      using errcode = 'check_violation', constraint = 'investments_active_is_paid', table = 'investments';
  end if;
  return new;
end
$$;
comment on function guard_investment_update() is 'Trigger: terms stay, steps are kept, and what becomes active is agreed to and paid.';

create trigger guard_transaction_update before update on transactions for each row execute function guard_transaction_update();
create trigger guard_investment_update before update on investments for each row execute function guard_investment_update();
create trigger set_updated_at before update on transactions for each row execute function set_updated_at();
select keep_rows('transactions');
