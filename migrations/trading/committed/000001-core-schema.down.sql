-- Named together: the tables refer to each other, and nothing outside this migration may refer to them any more.
drop table
  account_transactions, trades, order_fills, orders, positions, price_bars, instrument_sessions, instruments, payments, api_keys,
  accounts, password_reset_tokens, login_attempts, sessions, user_roles, role_permissions, permissions, roles, users,
  exchange_rates, currencies;

drop function check_order_filled_quantity();
drop function apply_order_fill();
drop function guard_order_update();
drop function order_transition_allowed(text, text);
drop function guard_payment_update();
drop function check_account_balance();
drop function guard_account_update();
drop function apply_account_transaction();
drop function restrict_to_owner(regprocedure);
drop function revoke_from_grantees(regclass, text[]);
drop function reject_row_change();
drop function bump_version();
drop function set_updated_at();
