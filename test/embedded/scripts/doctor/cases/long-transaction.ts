import type { CheckCase } from "../check-case.ts";

export const cases: CheckCase = {
  thresholds: { longTransactionSeconds: 0.1 },
  faults: [
    {
      title: "a statement that runs for long",
      setup: async (open) => {
        const [session, other] = [await open(), await open()];
        await session.query("set application_name = 'report'");
        session.query("select pg_sleep(60)").catch(() => {});
        await other.query("select pg_sleep(0.2)");
      },
      finds: ["postgres in fault: report"],
    },
  ],
  nearMisses: [
    {
      title: "a statement below the limit",
      setup: async (open) => {
        const session = await open();
        session.query("select pg_sleep(60)").catch(() => {});
      },
      thresholds: { longTransactionSeconds: 60 },
    },
    {
      title: "a session that is idle in a transaction, which is another check",
      setup: async (open) => {
        const [session, other] = [await open(), await open()];
        await session.query("begin; select 1");
        await other.query("select pg_sleep(0.2)");
      },
    },
    {
      title: "a session that is idle for long, without a transaction",
      setup: async (open) => {
        const [session, other] = [await open(), await open()];
        await session.query("select 1");
        await other.query("select pg_sleep(0.2)");
      },
    },
  ],
};
