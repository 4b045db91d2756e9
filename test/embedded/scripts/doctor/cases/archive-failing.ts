import { type CheckCase, until } from "../check-case.ts";

/** Sets the archive command and waits for the result of an attempt with it. */
const archiving =
  (command: string, column: string): CheckCase["faults"][number]["setup"] =>
  async (open) => {
    const session = await open();
    await session.query("create table item (id int)");
    await session.query(`alter system set archive_command = '${command}'`);
    await session.query("select pg_reload_conf()");
    const { rows: before } = await session.query(`select ${column} as at from pg_stat_archiver`);
    await session.query("insert into item values (1)");
    await session.query("select pg_switch_wal()");
    const last = before[0]?.at?.toISOString() ?? "-infinity";
    await until(session, `select ${column} > '${last}'::timestamptz + interval '1 ms' from pg_stat_archiver`);
  };

const teardown = ["alter system reset archive_command", "select pg_reload_conf()"];

export const cases: CheckCase = {
  faults: [
    {
      title: "an archive command that fails",
      setup: archiving("false", "last_failed_time"),
      teardown,
      finds: ["archiver"],
      isWithoutFix: true,
    },
    {
      title: "no archive command",
      setup: ["alter system set archive_command = ''", "select pg_reload_conf()"],
      teardown,
      finds: ["archiver"],
      isWithoutFix: true,
    },
  ],
  nearMisses: [
    { title: "an archive command that works again", setup: archiving("true", "last_archived_time"), teardown },
  ],
};
