-- The accounts' ledger, from a first deposit through commission and profit of each trade; balances; and the check that the books add up,
-- which stands for the triggers that were off. See the first file.

alter table payments disable trigger user;
alter table account_transactions disable trigger user;
alter table accounts disable trigger user;

-- Enough that no trade takes a balance below nothing.
insert into payments (id, account_id, currency, direction, method, status, amount, provider, provider_reference, idempotency_key, requested_by,
  completed_at, created_at, updated_at)
select md5('volume:payment:' || account_number)::uuid, accounts.id, 'USD', 'deposit',
  (array['bank_transfer', 'card', 'e_wallet', 'crypto'])[1 + last_digit * last_digit / 25], 'completed', 10000 + ceil(coalesce(at_risk, 0)), 'volume',
  account_number, 'volume:' || account_number, user_id, opened_at + interval '1 day', opened_at, opened_at + interval '1 day'
from accounts
left join (select account_id, sum(abs(realized_pnl) + commission) as at_risk from trades group by 1) as traded on account_id = accounts.id
cross join lateral (select right(account_number, 1)::integer as last_digit) as digit
where account_number like 'VOL-%'
order by account_number;

insert into account_transactions (id, account_id, sequence_number, transaction_type, amount, balance_before, balance_after, payment_id, trade_id,
  idempotency_key, created_at)
select md5('volume:transaction:' || source_id || transaction_type)::uuid, account_id, row_number() over booked, transaction_type, amount,
  sum(amount) over booked - amount, sum(amount) over booked, case when transaction_type = 'deposit' then source_id end,
  case when transaction_type <> 'deposit' then source_id end, transaction_type || ':' || source_id, booked_at
from (
  select id as source_id, account_id, 'deposit' as transaction_type, amount, completed_at as booked_at from payments where provider = 'volume'
  union all
  select trades.id, account_id, entry.transaction_type, entry.amount, executed_at
  from trades
  join accounts on accounts.id = account_id and account_number like 'VOL-%'
  cross join lateral (values ('commission', -commission), ('trade_pnl', realized_pnl)) as entry (transaction_type, amount)
  where entry.amount <> 0
) as entry
window booked as (partition by account_id order by booked_at, source_id, transaction_type rows unbounded preceding)
order by booked_at, source_id, transaction_type;

update accounts
set balance = ledger.balance, last_transaction_number = ledger.last_number, margin_used = ledger.margin_used, updated_at = ledger.booked_at
from (
  select newest.account_id, balance_after as balance, sequence_number as last_number, created_at as booked_at,
    coalesce((select sum(margin_used) from positions where positions.account_id = newest.account_id and status = 'open'), 0) as margin_used
  from (
    select distinct on (account_id) account_id, balance_after, sequence_number, created_at
    from account_transactions order by account_id, sequence_number desc
  ) as newest
) as ledger
where accounts.id = ledger.account_id and account_number like 'VOL-%';

do $$
declare
  wrong record;
begin
  select
    (select count(*) from accounts
     left join (select account_id, sum(amount) as amount, count(*) as number from account_transactions group by 1) as ledger on account_id = id
     where balance <> coalesce(amount, 0) or last_transaction_number <> coalesce(number, 0)) as accounts,
    (select count(*) from orders
     left join (select order_id, sum(quantity) as quantity from order_fills group by 1) as filled on order_id = orders.id
     where filled_quantity <> coalesce(filled.quantity, 0)) as orders,
    (select count(*) from positions
     left join (
       select position_id, sum(case when is_closing then -quantity else quantity end) as quantity, sum(realized_pnl) as realized_pnl
       from trades group by 1) as traded on position_id = positions.id
     where positions.quantity <> coalesce(traded.quantity, 0) or positions.realized_pnl <> coalesce(traded.realized_pnl, 0)) as positions
  into wrong;
  if wrong.accounts + wrong.orders + wrong.positions > 0 then
    raise exception 'the books do not add up: % accounts, % orders, % positions', wrong.accounts, wrong.orders, wrong.positions;
  end if;
end
$$;

alter table payments enable trigger user;
alter table account_transactions enable trigger user;
alter table accounts enable trigger user;

analyze payments, account_transactions, accounts;
