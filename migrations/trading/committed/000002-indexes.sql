--! Previous: sha1:0223baccb1419395099233cb817d27dd98dee420
--! Hash: sha1:37a7035332bd8f50053b60525bef26702852e038
--! Message: indexes

-- Not built concurrently: the tables are new and empty here. Later indexes on tables in use are (see 000006).

do $$
begin
  if not exists (select from pg_extension where extname = 'pg_trgm') then
    raise exception 'extension pg_trgm is missing in database %', current_database()
      using hint = 'An administrator runs CREATE EXTENSION pg_trgm; the extensions needed stand in database.json.';
  end if;
end
$$;

-- Each foreign key has an index that begins with its columns: joins from the parent, and deletes of parents, read no whole table.

-- People and access

-- Login and sign-up. Partial, so that a soft-deleted user's address can be used again.
create unique index users_email_key on users (email) where deleted_at is null;
create unique index users_username_key on users (username) where deleted_at is null;
-- Admin dashboard: newest users by status, cases waiting for identity checks, accounts locked now.
create index users_status_created_idx on users (status, created_at desc) where deleted_at is null;
create index users_kyc_waiting_idx on users (kyc_status, created_at) where kyc_status in ('pending', 'expired') and deleted_at is null;
create index users_locked_idx on users (locked_until) where locked_until is not null;
create index users_country_idx on users (country_code) where deleted_at is null;
-- Support looks people up by any part of what they typed.
create index users_email_trgm_idx on users using gin (email gin_trgm_ops);
create index users_username_trgm_idx on users using gin (username gin_trgm_ops);
create index users_full_name_trgm_idx on users using gin (full_name gin_trgm_ops);
create index users_metadata_idx on users using gin (metadata jsonb_path_ops);

create index role_permissions_permission_idx on role_permissions (permission_id);
create index user_roles_role_idx on user_roles (role_id);
create index user_roles_granted_by_idx on user_roles (granted_by) where granted_by is not null;
create index user_roles_expiring_idx on user_roles (expires_at) where expires_at is not null;

-- Sessions of a user that still count; the sweep of the expired.
create index sessions_user_idx on sessions (user_id, last_seen_at desc);
create index sessions_live_idx on sessions (expires_at) where revoked_at is null;
create index sessions_ip_idx on sessions (ip);

-- Lockout counts failures by user, by address and by network; the table grows in time order.
create index login_attempts_user_idx on login_attempts (user_id, attempted_at desc);
create index login_attempts_email_failed_idx on login_attempts (email, attempted_at desc) where not succeeded;
create index login_attempts_ip_failed_idx on login_attempts (ip, attempted_at desc) where not succeeded;
create index login_attempts_attempted_brin on login_attempts using brin (attempted_at) with (autosummarize = on);

create index password_reset_tokens_user_idx on password_reset_tokens (user_id, created_at desc);
create index password_reset_tokens_unused_idx on password_reset_tokens (expires_at) where used_at is null;

create index api_keys_user_idx on api_keys (user_id);
create index api_keys_account_idx on api_keys (account_id) where account_id is not null;
create index api_keys_live_idx on api_keys (expires_at) where revoked_at is null;
create index api_keys_scopes_idx on api_keys using gin (scopes) where revoked_at is null;

-- Accounts and money

create index accounts_user_idx on accounts (user_id, status);
create index accounts_currency_idx on accounts (currency);
create index accounts_type_status_idx on accounts (account_type, status) where deleted_at is null;
-- Margin watch: accounts that carry positions, the tightest first.
create index accounts_margin_watch_idx on accounts (free_margin) where margin_used > 0 and status = 'active';
create index accounts_number_trgm_idx on accounts using gin (account_number gin_trgm_ops);
create index accounts_metadata_idx on accounts using gin (metadata jsonb_path_ops);

create index payments_account_idx on payments (account_id, created_at desc);
create index payments_currency_idx on payments (currency);
create index payments_requested_by_idx on payments (requested_by);
create index payments_approved_by_idx on payments (approved_by) where approved_by is not null;
create index payments_waiting_idx on payments (direction, created_at) where status in ('pending', 'processing');
create index payments_metadata_idx on payments using gin (metadata jsonb_path_ops);

-- Statement of an account by time and by kind; where a payment or a trade was booked.
create index account_transactions_history_idx on account_transactions (account_id, created_at desc);
create index account_transactions_type_idx on account_transactions (account_id, transaction_type, created_at desc);
create index account_transactions_payment_idx on account_transactions (payment_id) where payment_id is not null;
create index account_transactions_trade_idx on account_transactions (trade_id) where trade_id is not null;
create index account_transactions_created_by_idx on account_transactions (created_by) where created_by is not null;
create index account_transactions_created_brin on account_transactions using brin (created_at) with (autosummarize = on);

-- Instruments and market data

create index exchange_rates_quote_idx on exchange_rates (quote_currency, base_currency, as_of desc);
create index exchange_rates_as_of_brin on exchange_rates using brin (as_of) with (autosummarize = on);
create index instruments_asset_class_idx on instruments (asset_class, symbol) where deleted_at is null;
create index instruments_base_currency_idx on instruments (base_currency) where base_currency is not null;
create index instruments_quote_currency_idx on instruments (quote_currency);
create index instruments_not_active_idx on instruments (trading_status) where trading_status <> 'active';
-- Asset search as the user types.
create index instruments_symbol_trgm_idx on instruments using gin (symbol gin_trgm_ops);
create index instruments_name_trgm_idx on instruments using gin (name gin_trgm_ops);
create index instruments_metadata_idx on instruments using gin (metadata jsonb_path_ops);
create index price_bars_opened_brin on price_bars using brin (opened_at) with (autosummarize = on);

-- Positions

create index positions_account_idx on positions (account_id, opened_at desc);
create index positions_instrument_idx on positions (instrument_id, status);
-- Netting accounts hold at most one open position an instrument.
create unique index positions_one_open_netting_key on positions (account_id, instrument_id) where status = 'open' and is_netting;
-- Revaluation at each tick reads the open positions of an instrument, the exit scan those with an exit.
create index positions_open_instrument_idx on positions (instrument_id, side) include (account_id, quantity) where status = 'open';
create index positions_open_stop_loss_idx on positions (instrument_id, stop_loss) where status = 'open' and stop_loss is not null;
create index positions_open_take_profit_idx on positions (instrument_id, take_profit) where status = 'open' and take_profit is not null;
create index positions_closed_idx on positions (account_id, closed_at desc) where status = 'closed';

-- Orders, fills, trades

create index orders_history_idx on orders (account_id, submitted_at desc);
create index orders_status_idx on orders (status, submitted_at desc);
create index orders_instrument_idx on orders (instrument_id, submitted_at desc);
create index orders_user_idx on orders (user_id, submitted_at desc) where user_id is not null;
create index orders_position_idx on orders (position_id) where position_id is not null;
create index orders_parent_idx on orders (parent_order_id) where parent_order_id is not null;
create index orders_session_idx on orders (session_id) where session_id is not null;
-- Open orders of an account; stop orders to watch; orders that expire next.
create index orders_open_account_idx on orders (account_id, instrument_id)
  where status in ('pending_new', 'new', 'partially_filled', 'pending_cancel');
create index orders_waiting_stop_idx on orders (instrument_id, stop_price)
  where status = 'new' and stop_price is not null;
create index orders_expiring_idx on orders (expires_at)
  where expires_at is not null and status in ('pending_new', 'new', 'partially_filled', 'pending_cancel');
create index orders_client_order_id_trgm_idx on orders using gin (client_order_id gin_trgm_ops);
create index orders_metadata_idx on orders using gin (metadata jsonb_path_ops);
create index orders_submitted_brin on orders using brin (submitted_at) with (autosummarize = on);

create index order_fills_order_idx on order_fills (order_id, executed_at) include (quantity, price);
create index order_fills_commission_currency_idx on order_fills (commission_currency) where commission_currency is not null;
create index order_fills_venue_idx on order_fills (venue, executed_at desc);
create index order_fills_executed_brin on order_fills using brin (executed_at) with (autosummarize = on);

create index trades_order_idx on trades (order_id, account_id, instrument_id);
create index trades_account_idx on trades (account_id, executed_at desc) include (realized_pnl, commission);
create index trades_instrument_idx on trades (instrument_id, executed_at desc) include (price, quantity);
create index trades_position_idx on trades (position_id) where position_id is not null;
create index trades_settlement_idx on trades (settles_on);
create index trades_metadata_idx on trades using gin (metadata jsonb_path_ops);
create index trades_executed_brin on trades using brin (executed_at) with (autosummarize = on);

-- Statistics

-- A few accounts and instruments make most of the traffic: 1,000 most common values instead of 100 let the planner see them.
alter table orders alter column account_id set statistics 1000;
alter table orders alter column instrument_id set statistics 1000;
alter table orders alter column status set statistics 1000;
alter table positions alter column account_id set statistics 1000;
alter table positions alter column instrument_id set statistics 1000;
alter table trades alter column account_id set statistics 1000;
alter table trades alter column instrument_id set statistics 1000;
alter table account_transactions alter column account_id set statistics 1000;
alter table order_fills alter column order_id set statistics 1000;
alter table users alter column email set statistics 1000;
alter table price_bars alter column instrument_id set statistics 1000;

-- Columns that depend on each other: an account trades few instruments; a type implies how likely a status is.
create statistics orders_account_instrument_stats (ndistinct, dependencies) on account_id, instrument_id from orders;
create statistics orders_type_status_stats (dependencies, mcv) on order_type, status from orders;
create statistics positions_account_instrument_stats (ndistinct, dependencies) on account_id, instrument_id from positions;

analyze currencies, exchange_rates, users, roles, permissions, role_permissions, user_roles, sessions, login_attempts,
  password_reset_tokens, accounts, api_keys, payments, instruments, instrument_sessions, price_bars, positions, orders,
  order_fills, trades, account_transactions;
