-- The balance of an account is not the sum of its ledger
select accounts.id, accounts.account_number, accounts.balance, coalesce(ledger.amount, 0) as ledger_sum
from accounts
left join (
  select account_id, sum(amount) as amount from account_transactions group by account_id
) as ledger on ledger.account_id = accounts.id
where accounts.balance <> coalesce(ledger.amount, 0);
