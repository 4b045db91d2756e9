drop trigger guard_investment_update on investments;
drop table transactions;

drop function guard_investment_update();
drop function investment_transition_allowed(text, text);
drop function guard_transaction_update();
drop function transaction_transition_allowed(text, text);
