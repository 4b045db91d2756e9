import type { Kysely } from "kysely";
import { read } from "pgroundwork";
import type { DB } from "../types.ts";

/** Numbers of the administrators' dashboard. */
export interface DashboardStats {
  newUsers: string;
  kycWaiting: string;
  transactionsWaiting: string;
  amountWaiting: string;
  investmentsPending: string;
  raised: string;
  eventsWaiting: string;
  lastDay: { transactionType: string; total: string }[];
  latest: { timestamp: string; action: string; targetId: string | null }[];
}

/** Reads the dashboard with three queries at the same time. */
export async function dashboardStats(db: Kysely<DB>, now = new Date()): Promise<DashboardStats> {
  const days = (count: number) => new Date(now.getTime() - count * 86_400_000).toISOString();
  const numbers = db.selectNoFrom((eb) => [
    eb
      .selectFrom("users")
      .select(({ fn }) => fn.countAll<string>().as("n"))
      .where("created_at", ">=", days(30))
      .$asScalar()
      .as("newUsers"),
    eb
      .selectFrom("kyc_applications")
      .select(({ fn }) => fn.countAll<string>().as("n"))
      .where("status", "in", ["submitted", "in_review"])
      .$asScalar()
      .as("kycWaiting"),
    eb
      .selectFrom("transactions")
      .select(({ fn }) => fn.countAll<string>().as("n"))
      .where("status", "in", ["pending", "processing"])
      .$asScalar()
      .as("transactionsWaiting"),
    eb
      .selectFrom("transactions")
      .select(({ fn, val }) => fn.coalesce(fn.sum<string>("amount"), val("0")).as("n"))
      .where("status", "in", ["pending", "processing"])
      .$asScalar()
      .as("amountWaiting"),
    eb
      .selectFrom("investments")
      .select(({ fn }) => fn.countAll<string>().as("n"))
      .where("status", "=", "pending")
      .$asScalar()
      .as("investmentsPending"),
    eb
      .selectFrom("assets")
      .select(({ fn, val }) => fn.coalesce(fn.sum<string>("raised_amount"), val("0")).as("n"))
      .where("status", "in", ["open", "active"])
      .where("deleted_at", "is", null)
      .$asScalar()
      .as("raised"),
    eb
      .selectFrom("blockchain_events")
      .select(({ fn }) => fn.countAll<string>().as("n"))
      .where("status", "in", ["pending", "failed"])
      .$asScalar()
      .as("eventsWaiting"),
  ]);
  const lastDay = db
    .selectFrom("transactions")
    .select(["transaction_type as transactionType", ({ fn }) => fn.sum<string>("amount").as("total")])
    .where("created_at", ">=", days(1))
    .where("status", "!=", "failed")
    .groupBy("transaction_type")
    .orderBy("transaction_type");
  const latest = db
    .selectFrom("admin_logs")
    .select(["timestamp", "action", "target_id as targetId"])
    .orderBy("timestamp", "desc")
    .limit(10);
  const [row, byType, actions] = await read(() =>
    Promise.all([numbers.executeTakeFirstOrThrow(), lastDay.execute(), latest.execute()]),
  );
  return { ...(row as Omit<DashboardStats, "lastDay" | "latest">), lastDay: byType, latest: actions };
}
