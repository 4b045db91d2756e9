-- The ledger of an account has a gap, or a row does not continue the balance of the one before it
select account_id, id, sequence_number, balance_before, expected_number, expected_balance
from (
  select account_id, id, sequence_number, balance_before,
    row_number() over ledger as expected_number,
    lag(balance_after, 1, 0) over ledger as expected_balance
  from account_transactions
  window ledger as (partition by account_id order by sequence_number)
) as numbered
where sequence_number <> expected_number or balance_before <> expected_balance
union all
select accounts.id, null, accounts.last_transaction_number, null, coalesce(ledger.last_number, 0), null
from accounts
left join (
  select account_id, max(sequence_number) as last_number from account_transactions group by account_id
) as ledger on ledger.account_id = accounts.id
where accounts.last_transaction_number <> coalesce(ledger.last_number, 0);
