import type { CheckCase } from "../check-case.ts";

export const cases: CheckCase = {
  thresholds: { idleTransactionSeconds: 0.1 },
  faults: [
    {
      title: "a session that does not commit",
      setup: async (open) => {
        const [session, other] = [await open(), await open()];
        await session.query("set application_name = 'importer'");
        await session.query("begin");
        await other.query("select pg_sleep(0.2)");
      },
      finds: ["postgres in fault: importer"],
    },
  ],
  nearMisses: [
    {
      title: "a session that has committed",
      setup: async (open) => {
        const [session, other] = [await open(), await open()];
        await session.query("begin");
        await session.query("commit");
        await other.query("select pg_sleep(0.2)");
      },
    },
    {
      title: "a short pause in a transaction",
      setup: async (open) => {
        await (await open()).query("begin");
      },
      thresholds: { idleTransactionSeconds: 60 },
    },
  ],
};
