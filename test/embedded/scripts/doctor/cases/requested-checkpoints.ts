import { type CheckCase, until } from "../check-case.ts";

const teardown = ["alter system reset max_wal_size", "select pg_reload_conf()"];

/** Runs statements twice, each time until a checkpoint was requested, with the smallest max_wal_size. */
const checkpoints =
  (...statements: string[]): CheckCase["faults"][number]["setup"] =>
  async (open) => {
    const session = await open();
    await session.query("alter system set max_wal_size = '32MB'");
    await session.query("select pg_reload_conf()");
    await session.query("create table item (name text)");
    // WAL from before counts toward the next checkpoint, and a checkpoint is counted a moment after its end.
    const { rows } = await session.query("select num_requested as count from pg_stat_checkpointer");
    await session.query("checkpoint");
    await until(session, `select num_requested > ${rows[0]?.count} from pg_stat_checkpointer`);
    await session.query("select pg_stat_reset_shared('checkpointer'), pg_stat_reset_shared('wal')");
    for (const count of [1, 2]) {
      for (const statement of statements) await session.query(statement);
      await until(session, `select num_requested >= ${count} from pg_stat_checkpointer`);
    }
    await session.query("select pg_stat_force_next_flush()");
  };

export const cases: CheckCase = {
  thresholds: { checkpoints: 2 },
  faults: [
    {
      title: "checkpoints after as much WAL as is allowed",
      setup: checkpoints("insert into item select repeat('x', 1000) from generate_series(1, 30000)"),
      teardown,
      finds: ["max_wal_size"],
    },
  ],
  nearMisses: [
    {
      title: "checkpoints that were requested after little WAL",
      setup: checkpoints("insert into item values (1)", "checkpoint"),
      teardown,
    },
  ],
};
