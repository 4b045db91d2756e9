import { type CheckCase, until } from "../check-case.ts";

/** Three sessions: the first blocks the second, and the second blocks the third. */
const chain: CheckCase["faults"][number]["setup"] = async (open) => {
  const [first, second, third, other] = [await open(), await open(), await open(), await open()];
  await first.query("set application_name = 'holder'");
  await first.query("create table item (id int primary key)");
  await first.query("begin");
  await first.query("lock table item in access share mode");
  second.query("begin; lock table item; commit").catch(() => {});
  await until(other, "select count(*) = 1 from pg_locks where waitstart is not null");
  third.query("select * from item").catch(() => {});
  await until(other, "select count(*) = 2 from pg_locks where waitstart < clock_timestamp() - interval '100 ms'");
};

export const cases: CheckCase = {
  thresholds: { blockedSeconds: 0.1 },
  faults: [{ title: "the session at the beginning of a chain", setup: chain, finds: ["postgres in fault: holder"] }],
  nearMisses: [
    { title: "sessions that wait for a short time", setup: chain, thresholds: { blockedSeconds: 60 } },
    {
      title: "locks that nobody waits for",
      setup: async (open) => {
        const session = await open();
        await session.query("create table item (id int)");
        await session.query("begin");
        await session.query("lock table item");
      },
    },
  ],
};
