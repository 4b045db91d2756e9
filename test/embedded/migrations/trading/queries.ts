import type { DatabaseQueries } from "../named-queries.ts";

const busiestAccount = "select account_id from orders group by 1 order by count(*) desc, 1 limit 1";
const busiestInstrument = "select instrument_id from orders group by 1 order by count(*) desc, 1 limit 1";
const busiestUser = "select user_id from user_activity_log group by 1 order by count(*) desc, 1 limit 1";

/** The most frequent queries of a trading engine. Its requirements name no time limits. */
export const queries: DatabaseQueries = {
  "user lookup": {
    queries: [
      {
        name: "login by email",
        sql: "select id, password_hash, status, failed_login_attempts, locked_until from users where email = $1 and deleted_at is null",
        parameters: `select email from users where id = (${busiestUser})`,
        uses: ["users_email_key"],
      },
      {
        name: "by part of name or email",
        sql: `select id, email, full_name, status from users where email ilike $1 or full_name ilike $1 order by full_name limit 20`,
        parameters: `select '%' || split_part(full_name, ' ', 2) || '%' from users where id = (${busiestUser})`,
        uses: ["users_email_trgm_idx", "users_full_name_trgm_idx"],
      },
      {
        name: "a user's accounts",
        sql: "select id, account_number, account_type, balance, equity, free_margin from accounts where user_id = $1 and status = 'active'",
        parameters: "select user_id from accounts where status = 'active' group by 1 order by count(*) desc, 1 limit 1",
        uses: ["accounts_user_idx"],
      },
      {
        name: "account by part of its number",
        sql: "select id, account_number, status from accounts where account_number ilike $1 limit 20",
        parameters: "select '%' || right(account_number, 6) || '%' from accounts order by account_number desc limit 1",
        uses: ["accounts_number_trgm_idx"],
        fromRows: 200_000,
      },
    ],
  },
  "asset search": {
    queries: [
      {
        name: "instrument by symbol",
        sql: "select * from instruments where symbol = $1",
        parameters: `select symbol from instruments where id = (${busiestInstrument})`,
        uses: ["instruments_symbol_key"],
      },
      {
        name: "instrument by part of symbol or name",
        sql: "select id, symbol, name from instruments where symbol ilike $1 or name ilike $1 order by symbol limit 20",
        parameters:
          "select '%' || lower(split_part(name, ' ', 1)) || '%' from instruments where asset_class = 'equity' order by symbol limit 1",
        uses: ["instruments_symbol_trgm_idx", "instruments_name_trgm_idx"],
        fromRows: 200_000,
      },
      {
        name: "instruments of a class",
        sql: "select symbol, name from instruments where asset_class = 'crypto' and deleted_at is null order by symbol",
        uses: ["instruments_asset_class_idx"],
      },
    ],
  },
  "admin dashboard": {
    queries: [
      {
        name: "newest users",
        sql: "select id, email, full_name, created_at from users where status = 'active' and deleted_at is null order by created_at desc limit 50",
        uses: ["users_status_created_idx"],
      },
      {
        name: "identity checks that wait",
        sql: `select id, email, created_at from users where kyc_status = 'pending' and deleted_at is null order by created_at limit 50`,
        uses: ["users_kyc_waiting_idx"],
      },
      {
        name: "locked accounts",
        sql: "select id, email, locked_until from users where locked_until > timestamptz '2025-12-31Z' order by locked_until limit 50",
        uses: ["users_locked_idx"],
      },
      {
        name: "accounts with the least free margin",
        sql: `select id, account_number, free_margin from accounts where margin_used > 0 and status = 'active' order by free_margin limit 50`,
        uses: ["accounts_margin_watch_idx"],
      },
      {
        name: "latest rejected orders",
        sql: "select id, account_id, reject_reason, submitted_at from orders where status = 'rejected' order by submitted_at desc limit 50",
        uses: ["orders_status_idx"],
      },
      {
        name: "offers of an instrument, best first",
        sql: `select id, limit_price, remaining_quantity from orders
          where instrument_id = $1 and side = 'sell' and status in ('new', 'partially_filled') and limit_price is not null
          order by limit_price, submitted_at limit 10`,
        parameters: `select instrument_id from orders
          where side = 'sell' and status = 'new' and limit_price is not null group by 1 order by count(*) desc, 1 limit 1`,
        uses: ["orders_working_limit_idx"],
      },
      {
        name: "bids for it, best first",
        sql: `select id, limit_price, remaining_quantity from orders
          where instrument_id = $1 and side = 'buy' and status in ('new', 'partially_filled') and limit_price is not null
          order by limit_price desc, submitted_at limit 10`,
        parameters: `select instrument_id from orders
          where side = 'buy' and status = 'new' and limit_price is not null group by 1 order by count(*) desc, 1 limit 1`,
        uses: ["orders_working_limit_idx"],
      },
      {
        name: "open positions of an instrument",
        sql: "select side, count(*), sum(quantity) from positions where instrument_id = $1 and status = 'open' group by side",
        parameters:
          "select instrument_id from positions where status = 'open' group by 1 order by count(*) desc, 1 limit 1",
        uses: ["positions_open_instrument_idx"],
        indexOnly: ["positions_open_instrument_idx"],
      },
    ],
  },
  "transaction history": {
    queries: [
      {
        name: "orders of the busiest account, newest 50",
        sql: `select orders.*, symbol from orders join instruments on instruments.id = instrument_id
          where account_id = $1 order by submitted_at desc limit 50`,
        parameters: busiestAccount,
        uses: ["orders_history_idx"],
      },
      {
        name: "open orders of an account",
        sql: `select id, instrument_id, side, quantity, limit_price from orders
          where account_id = $1 and status in ('pending_new', 'new', 'partially_filled', 'pending_cancel')`,
        parameters: "select account_id from orders where status = 'new' group by 1 order by count(*) desc, 1 limit 1",
        uses: ["orders_open_account_idx"],
      },
      {
        name: "one order by its client's number",
        sql: "select * from orders where account_id = $1 and client_order_id = $2",
        parameters: "select account_id, client_order_id from orders order by id limit 1",
        uses: ["orders_account_id_client_order_id_key"],
      },
      {
        name: "fills of an order",
        sql: "select * from order_fills where order_id = $1 order by executed_at",
        parameters: "select order_id from order_fills group by 1 order by count(*) desc, 1 limit 1",
        uses: ["order_fills_order_idx"],
      },
      {
        name: "average price of an order",
        sql: "select sum(quantity), sum(quantity * price) / sum(quantity) from order_fills where order_id = $1",
        parameters: "select order_id from order_fills group by 1 order by count(*) desc, 1 limit 1",
        uses: ["order_fills_order_idx"],
        indexOnly: ["order_fills_order_idx"],
      },
      {
        name: "trades of the busiest account, newest 50",
        sql: "select * from trades where account_id = $1 order by executed_at desc limit 50",
        parameters: busiestAccount,
        uses: ["trades_account_idx"],
      },
      {
        name: "closed positions of an account, newest 50",
        sql: "select * from positions where account_id = $1 and status = 'closed' order by closed_at desc limit 50",
        parameters: busiestAccount,
        uses: ["positions_closed_idx"],
      },
      {
        name: "ledger of an account, newest 50",
        sql: "select * from account_transactions where account_id = $1 order by created_at desc limit 50",
        parameters: busiestAccount,
        uses: ["account_transactions_history_idx"],
      },
      {
        name: "fees in it",
        sql: "select * from account_transactions where account_id = $1 and transaction_type = 'commission' order by created_at desc limit 50",
        parameters: busiestAccount,
        uses: ["account_transactions_type_idx"],
      },
      {
        name: "what a user did, newest 50",
        sql: "select * from user_activity_log where user_id = $1 order by occurred_at desc limit 50",
        parameters: busiestUser,
        uses: ["user_activity_log_user_idx"],
      },
    ],
  },
  analytics: {
    queries: [
      {
        name: "profit of an account by month",
        sql: `select date_trunc('month', executed_at), sum(realized_pnl), sum(commission) from trades where account_id = $1 group by 1 order by 1`,
        parameters: busiestAccount,
        uses: ["trades_account_idx"],
        indexOnly: ["trades_account_idx"],
      },
      {
        name: "volume of an instrument by day, 30 days",
        sql: `select date_trunc('day', executed_at), count(*), sum(quantity), sum(price * quantity) from trades
          where instrument_id = $1 and executed_at >= timestamptz '2025-12-01Z' group by 1 order by 1`,
        parameters: busiestInstrument,
        uses: ["trades_instrument_idx"],
        indexOnly: ["trades_instrument_idx"],
      },
      {
        name: "turnover of a month",
        sql: `select instrument_id, count(*), sum(notional) from trades
          where executed_at >= timestamptz '2025-12-01Z' group by 1 order by 3 desc limit 20`,
        uses: ["trades_executed_brin"],
        fromRows: 200_000,
      },
      {
        name: "price bars of an instrument, a day",
        sql: `select * from price_bars where instrument_id = $1 and timeframe = '1h' order by opened_at desc limit 24`,
        parameters: "select instrument_id from price_bars order by 1 limit 1",
        uses: ["price_bars_pkey"],
      },
      {
        name: "latest logins of all users",
        sql: "select * from user_activity_log where activity = 'session.login' order by occurred_at desc limit 50",
        uses: ["user_activity_log_activity_idx"],
      },
    ],
  },
};
