import type { DatabaseQueries } from "../named-queries.ts";

const userWithPortfolio = `select users.id, users.blockchain_address, users.status, users.kyc_level, user_tiers.name as tier,
    user_profiles.full_name, application.status as kyc_status, portfolio.*
  from users
  join user_tiers on user_tiers.code = users.tier_code
  left join user_profiles on user_profiles.user_id = users.id
  left join lateral (select status from kyc_applications where user_id = users.id order by created_at desc limit 1) as application on true
  cross join lateral (
    select count(*) as investments, coalesce(sum(amount), 0) as invested
    from investments where user_id = users.id and status in ('pending', 'active')) as portfolio`;
const withUser = ["user_profiles_pkey", "kyc_applications_user_idx", "idx_investments_user_asset"];

const busiestInvestor = "select user_id from investments group by 1 order by count(*) desc, 1 limit 1";
const busiestAsset = "select asset_id from investments group by 1 order by count(*) desc, 1 limit 1";

/** The most frequent queries of the investment platform. The time limits are those of its own table of results. */
export const queries: DatabaseQueries = {
  "user lookup": {
    withinMs: 25,
    queries: [
      {
        name: "by phone",
        sql: `${userWithPortfolio} where users.phone_hash = $1`,
        parameters: `select phone_hash from users where id = (${busiestInvestor})`,
        uses: ["idx_users_phone_hash", ...withUser],
        indexOnly: ["idx_investments_user_asset"],
      },
      {
        name: "by blockchain address",
        sql: `${userWithPortfolio} where users.blockchain_address = $1`,
        parameters: `select blockchain_address from users where id = (${busiestInvestor})`,
        uses: ["idx_users_blockchain_address", ...withUser],
        indexOnly: ["idx_investments_user_asset"],
      },
    ],
  },
  "asset search": {
    withinMs: 45,
    queries: [
      {
        name: "by words",
        sql: `select id, code, name, asset_class, expected_return_rate, raised_amount / target_amount as funded, ts_rank_cd(search, query) as rank
          from assets, websearch_to_tsquery('english', 'solar park farmers') as query
          where search @@ query and deleted_at is null and status in ('open', 'active') order by rank desc, id limit 20`,
        uses: ["assets_search_idx"],
      },
      {
        name: "offers of a class by return",
        sql: `select id, code, name, expected_return_rate from assets
          where status in ('open', 'active') and deleted_at is null and asset_class = 'real_estate' and expected_return_rate >= 0.08
          order by expected_return_rate desc limit 20`,
        uses: ["assets_offered_idx"],
      },
      {
        name: "by part of the name",
        sql: "select id, code, name from assets where name ilike $1 limit 20",
        parameters: "select '%' || lower(split_part(name, ' ', 3)) || '%' from assets order by id limit 1",
        uses: ["assets_name_trgm_idx"],
        fromRows: 200_000,
      },
    ],
  },
  "admin dashboard": {
    withinMs: 150,
    queries: [
      {
        name: "everything on it",
        sql: `select
          (select count(*) from users where created_at >= timestamptz '2025-12-01Z') as new_users,
          (select count(*) from kyc_applications where status in ('submitted', 'in_review')) as kyc_waiting,
          (select count(*) from transactions where status in ('pending', 'processing')) as transactions_waiting,
          (select coalesce(sum(amount), 0) from transactions where status in ('pending', 'processing')) as amount_waiting,
          (select jsonb_object_agg(transaction_type, total) from (
            select transaction_type, sum(amount) as total from transactions
            where created_at >= timestamptz '2025-12-30Z' and status <> 'failed' group by transaction_type) as day) as last_day,
          (select count(*) from investments where status = 'pending') as investments_pending,
          (select sum(raised_amount) from assets where status in ('open', 'active') and deleted_at is null) as raised,
          (select count(*) from blockchain_events where status in ('pending', 'failed')) as events_waiting,
          (select jsonb_agg(jsonb_build_array(timestamp, action, target_id)) from (
            select * from admin_logs order by timestamp desc limit 10) as latest) as latest`,
        uses: [
          "users_created_idx",
          "kyc_applications_queue_idx",
          "transactions_waiting_idx",
          "idx_transactions_timestamp",
          "investments_pending_idx",
          "assets_offered_idx",
          "blockchain_events_waiting_idx",
          "idx_admin_logs_timestamp",
        ],
        indexOnly: ["kyc_applications_queue_idx", "transactions_waiting_idx", "assets_offered_idx"],
      },
    ],
  },
  "transaction history": {
    withinMs: 75,
    queries: [
      {
        name: "of the busiest user, newest 50",
        sql: `select transactions.*, assets.name from transactions
          left join investments on investments.id = transactions.investment_id
          left join assets on assets.id = investments.asset_id
          where transactions.user_id = $1 order by transactions.created_at desc limit 50`,
        parameters: "select user_id from transactions group by 1 order by count(*) desc, 1 limit 1",
        uses: ["transactions_user_idx"],
      },
    ],
  },
  analytics: {
    withinMs: 200,
    queries: [
      {
        name: "money by month and type, a year",
        sql: `select date_trunc('month', day) as month, transaction_type, sum(transactions), sum(amount) from transaction_days
          where day >= date '2025-01-01' and status = 'completed' group by 1, 2 order by 1, 2`,
        uses: [],
      },
      {
        name: "money by month and type, a year, live",
        sql: `select date_trunc('month', created_at at time zone 'UTC') as month, transaction_type, count(*), sum(amount) from transactions
          where created_at >= timestamptz '2025-01-01Z' and status = 'completed' group by 1, 2 order by 1, 2`,
        uses: ["idx_transactions_timestamp"],
        indexOnly: ["idx_transactions_timestamp"],
      },
      {
        name: "money by day and type, 90 days, live",
        sql: `select date_trunc('day', created_at at time zone 'UTC') as day, transaction_type, count(*), sum(amount) from transactions
          where created_at >= timestamptz '2025-10-02Z' and status = 'completed' group by 1, 2 order by 1, 2`,
        uses: ["idx_transactions_timestamp"],
        indexOnly: ["idx_transactions_timestamp"],
      },
      {
        name: "assets with most invested",
        sql: `select assets.code, assets.name, investors, invested from asset_statistics join assets on assets.id = asset_id
          order by invested desc limit 20`,
        uses: ["asset_statistics_invested_idx", "assets_pkey"],
      },
      {
        name: "assets with most invested, live",
        sql: `select assets.code, assets.name, invested.investors, invested.amount
          from (
            select asset_id, count(distinct user_id) as investors, sum(amount) as amount
            from investments where status = 'active' group by asset_id) as invested
          join assets on assets.id = invested.asset_id order by invested.amount desc limit 20`,
        uses: ["investments_asset_idx"],
        indexOnly: ["investments_asset_idx"],
      },
      {
        name: "investors of one asset",
        sql: "select status, count(distinct user_id) as investors, sum(amount) from investments where asset_id = $1 group by status",
        parameters: busiestAsset,
        uses: ["investments_asset_idx"],
        indexOnly: ["investments_asset_idx"],
      },
      {
        name: "investments placed in a month",
        sql: `select asset_id, status, count(*), sum(amount) from investments
          where placed_at >= timestamptz '2025-12-01Z' group by 1, 2`,
        uses: ["investments_placed_idx"],
        indexOnly: ["investments_placed_idx"],
      },
      {
        name: "answers of an endpoint in a month",
        sql: `select status_code, count(*), avg(duration_ms) from api_usage_logs
          where endpoint = $1 and timestamp >= timestamptz '2025-12-01Z' group by 1`,
        parameters: "select endpoint from api_usage_logs group by 1 order by count(*) desc, 1 limit 1",
        uses: ["api_usage_logs_endpoint_idx"],
        indexOnly: ["api_usage_logs_endpoint_idx"],
      },
      {
        name: "events of a contract",
        sql: `select event_type, count(*), sum(amount) from blockchain_events where contract_address = $1 and event_type = $2 group by 1`,
        parameters:
          "select contract_address, event_type from blockchain_events group by 1, 2 order by count(*) desc, 1, 2 limit 1",
        uses: ["idx_blockchain_events_contract"],
      },
      {
        name: "API usage of a week",
        sql: `select endpoint, count(*), percentile_cont(0.95) within group (order by duration_ms) from api_usage_logs
          where timestamp >= timestamptz '2025-12-24Z' group by 1 order by 2 desc`,
        uses: ["api_usage_logs_timestamp_brin"],
        fromRows: 200_000,
      },
    ],
  },
};
