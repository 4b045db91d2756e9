import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { readJobRuns, stateOfRun } from "../../../../scripts/databases/job-runs.ts";
import type { Job } from "../../../../scripts/databases/jobs.ts";
import { partitionJobs } from "../../../../scripts/databases/partition-jobs.ts";
import { type RunRequest, runJobs } from "../../../../scripts/databases/run-jobs.ts";
import { readRecordedJobs } from "../../../../scripts/health/jobs.ts";
import { startServer } from "../../server.ts";

let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  server = await startServer();
  await server.createDatabase("shop");
  await query("create table ran (job text, who text, at timestamptz default clock_timestamp())");
});
afterAll(() => server?.stop());
beforeEach(() => query("drop table if exists pgroundwork.job_run; truncate ran"));

const migrator = () => server.as("migrator", "shop");
const query = async (sql: string) => (await withClient(migrator(), (client) => client.query(sql))).rows;
const asSuperuser = async (sql: string) =>
  (await withClient(server.connection("shop"), (client) => client.query(sql))).rows;
const ran = async (): Promise<string[]> => (await query("select job from ran order by at")).map(({ job }) => job);
const note = (name: string, schedule = "0 3 * * *", more = ""): Job => ({
  ...{ name, schedule },
  command: `insert into ran (job, who) values ('${name}', session_user || ' as ' || current_user)${more}`,
});
const request = (jobs: readonly Job[], changed: Partial<RunRequest> = {}): RunRequest => ({
  ...{ connection: migrator(), jobs, isForced: false, signal: new AbortController().signal, runId: randomUUID() },
  ...{ onStart: () => {}, onMessage: () => {} },
  ...changed,
});
const run = (jobs: readonly Job[], changed?: Partial<RunRequest>) => runJobs(request(jobs, changed));
const outcomes = async (jobs: readonly Job[]) => (await run(jobs)).map(({ outcome }) => outcome);
const stateOf = async (job: Job) => stateOfRun("shop", job, await withClient(migrator(), readJobRuns));
/** Moves all recorded runs into the past. */
const age = (interval: string) =>
  query(`update pgroundwork.job_run set started_at = started_at - interval '${interval}',
                                        finished_at = finished_at - interval '${interval}'`);

describe("the jobs that pgw jobs run runs", () => {
  it("run as the migrator, which acts as the owner, when they are due by their last begin", async () => {
    const jobs = [note("daily"), note("often", "59 seconds")];
    expect(await outcomes(jobs)).toEqual(["succeeded", "succeeded"]);
    expect(await query("select distinct who from ran")).toEqual([{ who: "shop_migrator as shop_owner" }]);
    expect(await run(jobs)).toEqual([
      { name: "daily", outcome: "not due", next: expect.any(Date) },
      { name: "often", outcome: "not due", next: expect.any(Date) },
    ]);
    await age("60 seconds");
    expect(await outcomes([jobs[1] as Job])).toEqual(["succeeded"]);
    await age("24 hours");
    expect(await outcomes(jobs)).toEqual(["succeeded", "succeeded"]);
    expect(await ran()).toEqual(["daily", "often", "often", "daily", "often"]);
  });

  it("run once if several processes start at the same time", async () => {
    const slow = note("slow", "0 3 * * *", "; select pg_sleep(1)");
    const results = await Promise.all([run([slow]), run([slow]), run([slow])]);
    const found = results.flat().map(({ outcome }) => outcome);
    expect(found.filter((outcome) => outcome === "succeeded")).toHaveLength(1);
    expect(await ran()).toEqual(["slow"]);
  });

  it("are left out while another process runs them or if it has run them, and are not overdue meanwhile", async () => {
    const slow = note("slow", "* * * * *", "; select pg_advisory_lock(7); select pg_advisory_unlock_all()");
    await withClient(migrator(), async (client) => {
      await client.query("select pg_advisory_lock(7)");
      let begun = () => {};
      const hasBegun = new Promise<void>((resolve) => {
        begun = resolve;
      });
      const first = run([slow, note("next")], { onStart: () => begun() });
      await hasBegun;
      await expect.poll(async () => (await run([slow], { isForced: true }))[0]?.outcome).toBe("busy");
      await query("update pgroundwork.job_run set started_at = started_at - interval '1 day'");
      expect(await stateOf(slow)).toMatchObject({ failed: false, overdueSeconds: 0, endedAt: null });
      // The first process has found it due, and another one runs it meanwhile.
      expect(await outcomes([note("next")])).toEqual(["succeeded"]);
      await client.query("select pg_advisory_unlock(7)");
      expect((await first).map(({ outcome }) => outcome)).toEqual(["succeeded", "not due"]);
    });
  });

  it("leave their error with its SQLSTATE in the database, and do not prevent the next ones", async () => {
    const broken = { ...note("broken"), command: "insert into ran (job) values ('half'); select 1 from missing" };
    const error = 'relation "missing" does not exist (SQLSTATE 42P01)';
    expect(await run([broken, note("fine")])).toEqual([
      { name: "broken", outcome: "failed", error },
      { name: "fine", outcome: "succeeded", seconds: expect.any(Number) },
    ]);
    expect(await ran()).toEqual(["fine"]);
    expect(await stateOf(broken)).toMatchObject({ failed: true, message: error, endedAt: expect.any(String) });
    expect(await stateOf(note("fine"))).toMatchObject({ failed: false, message: null });
    // A failed job waits for its next time.
    expect(await outcomes([broken])).toEqual(["not due"]);
  });

  it("give up a lock after their limit, and can set another one", async () => {
    const limits = "current_setting('lock_timeout') || ' ' || current_setting('statement_timeout')";
    await asSuperuser("alter role shop_migrator set statement_timeout = '2s'");
    await run([
      { ...note("default"), command: `insert into ran (job) select ${limits}` },
      { ...note("own"), command: `set local lock_timeout = '1s'; insert into ran (job) select ${limits}` },
    ]);
    await asSuperuser("alter role shop_migrator reset statement_timeout");
    expect(await ran()).toEqual(["10s 1h", "1s 1h"]);
  });

  it("create partitions ahead, and drop those that are older than the months to keep, by name", async () => {
    await query(`
      create schema log;
      create table log.entry (at timestamptz not null) partition by range (at);
      create table log.entry_default partition of log.entry default;
      create table log.day (at date not null) partition by range (at);
      create table log.region (name text) partition by range (name);
      create table log.region_a partition of log.region for values from ('1999-01-01') to ('2000-01-01');
      create table public.other (at date not null) partition by range (at);
      create table public.other_1 partition of other for values from (minvalue) to ('2000-01-01');
      create table log.day_oldest partition of log.day for values from (minvalue) to ('2000-01-01');
      create table log.day_rest partition of log.day for values from (date '2100-01-01') to (maxvalue);
      do $$ declare month timestamptz; begin
        for month in select generate_series(date_trunc('month', now(), 'UTC') - interval '4 months', date_trunc('month', now(), 'UTC'), '1 month') loop
          execute format('create table log.entry_%s partition of log.entry for values from (%L) to (%L)',
            to_char(month at time zone 'UTC', 'YYYY_MM'), month, (month at time zone 'UTC' + interval '1 month') at time zone 'UTC');
        end loop;
      end $$;
      insert into log.entry select generate_series(date_trunc('month', now(), 'UTC') - interval '40 months', now(), '1 month');
      create function log.make(months_ahead integer, dry_run boolean) returns setof text language sql as
        $$ insert into ran (job) values (months_ahead || ' ' || dry_run); select null::text where false $$;`);
    // A day of the month and a format of dates in which bounds are easily misread.
    await asSuperuser(
      "alter role shop_migrator set TimeZone = 'Pacific/Kiritimati'; alter role shop_migrator set DateStyle = 'SQL, DMY'",
    );
    const monthsBack = async (count: number) =>
      (
        await query(
          `select to_char(date_trunc('month', now(), 'UTC') at time zone 'UTC' - interval '${count} months', 'YYYY_MM') as month`,
        )
      )[0]?.month;
    const partitions = () =>
      query("select relname as name from pg_class where relispartition and relkind = 'r' order by relname");
    const messages: string[] = [];
    const jobs = partitionJobs({ function: "log.make", monthsAhead: 2, keepMonths: 2 });
    const results = await run(jobs, { onMessage: (_, message) => void messages.push(message.split(",")[0] as string) });
    await asSuperuser("alter role shop_migrator reset TimeZone; alter role shop_migrator reset DateStyle");
    expect(results.map(({ outcome }) => outcome)).toEqual(["succeeded", "succeeded"]);
    expect(await ran()).toEqual(["2 false"]);
    expect((await partitions()).map(({ name }) => name)).toEqual([
      ...["day_rest", `entry_${await monthsBack(2)}`, `entry_${await monthsBack(1)}`, `entry_${await monthsBack(0)}`],
      ...["entry_default", "other_1", "region_a"],
    ]);
    expect(messages).toEqual([
      "WARNING: dropped partition log.day_oldest",
      `WARNING: dropped partition log.entry_${await monthsBack(4)}`,
      `WARNING: dropped partition log.entry_${await monthsBack(3)}`,
    ]);
  });

  it("drop no partition while a table is in use for longer than the limit of locks", async () => {
    const [, drop] = partitionJobs({ function: "log.make", monthsAhead: 2, keepMonths: 1 });
    const quick = { ...(drop as Job), command: (drop as Job).command.replace("'10s'", "'200ms'") };
    await withClient(migrator(), async (client) => {
      await client.query("begin; select from log.entry");
      // In a session without limits, as pg_cron's are.
      await expect(query(quick.command)).rejects.toThrow("lock timeout");
      await client.query("rollback");
    });
    expect(await query("select from pg_class where relispartition and relname like 'entry%'")).toHaveLength(4);
    expect(await outcomes([quick])).toEqual(["succeeded"]);
    expect(await query("select from pg_class where relispartition and relname like 'entry%'")).toHaveLength(3);
  });

  it("pass their messages on, and can be statements that run in no transaction", async () => {
    const messages: string[] = [];
    const onMessage = (name: string, message: string) => void messages.push(`${name}: ${message}`);
    const loud = { ...note("loud"), command: "do $$ begin raise warning 'dropped %', 'a'; end $$" };
    expect(await run([loud, { ...note("vacuum"), command: "vacuum ran" }], { onMessage })).toMatchObject([
      { outcome: "succeeded" },
      { outcome: "succeeded" },
    ]);
    expect(messages).toEqual(["loud: WARNING: dropped a"]);
  });

  it("have failed if a command leaves a transaction open", async () => {
    const [result] = await run([{ ...note("open"), command: "begin; insert into ran (job) values ('lost')" }]);
    expect(result).toMatchObject({ outcome: "failed", error: expect.stringContaining("leaves a transaction open") });
    expect(await ran()).toEqual([]);
  });

  it("end with the command that runs them, at the server and in the records", async () => {
    const controller = new AbortController();
    const slow = note("slow", "* * * * *", "; select pg_sleep(60)");
    const onStart = () => void setTimeout(() => controller.abort(new Error("stop")), 300);
    await expect(run([slow], { signal: controller.signal, onStart })).rejects.toThrow("stop");
    expect(await stateOf(slow)).toMatchObject({ failed: true, message: "interrupted" });
    const sessions = () =>
      asSuperuser("select from pg_stat_activity where application_name = 'pgroundwork job slow' and state = 'active'");
    await expect.poll(sessions, { timeout: 10_000 }).toEqual([]);
  });

  it("have failed if the process that ran them was killed, and are overdue if none runs them again", async () => {
    const job = note("daily");
    await run([job]);
    expect(await stateOf(job)).toMatchObject({ failed: false, overdueSeconds: 0 });
    await query("update pgroundwork.job_run set finished_at = null");
    expect(await stateOf(job)).toMatchObject({ failed: true, message: expect.stringContaining("was ended before") });
    // A day, a tenth of it and 10 minutes.
    await age("95580 seconds");
    expect((await stateOf(job)).overdueSeconds).toBe(0);
    await age("120 seconds");
    expect((await stateOf(job)).overdueSeconds).toBeGreaterThan(50);
  });

  it("are read by a monitoring role for health, without their errors, in the same state", async () => {
    const watcher = { ...server.connection("shop"), user: "watcher" };
    await asSuperuser(`create role watcher login password '${watcher.password}' in role pg_monitor;
                       grant connect on database shop to watcher`);
    const jobs = [note("fine"), { ...note("broken"), command: "select 1 from missing" }, note("new")];
    const read = async () => {
      const answer = await readRecordedJobs([{ connection: watcher, jobs }]);
      return answer.known ? answer.value : answer;
    };
    const never = { failed: false, overdueSeconds: 0, startedAt: null };
    expect(await read()).toMatchObject({ runner: "command", jobs: [never, never, never] });
    await run(jobs.slice(0, 2));
    const states = await Promise.all(jobs.map(stateOf));
    expect(await read()).toEqual({ runner: "command", jobs: states.map((state) => ({ ...state, message: null })) });
    expect(states.map(({ failed }) => failed)).toEqual([false, true, false]);
    await expect(
      withClient(watcher, (client) => client.query("select error from pgroundwork.job_run")),
    ).rejects.toThrow("permission denied");
    await query("revoke usage on schema pgroundwork from pg_monitor");
    const reason = 'role "watcher" may not read the records of jobs (pgroundwork.job_run)';
    expect(await read()).toEqual({ known: false, reason });
    await query("alter table pgroundwork.job_run enable row level security");
    expect(await read()).toMatchObject({ known: false, reason: expect.stringContaining("not a plain table") });
    expect(await readRecordedJobs([{ connection: watcher, jobs: [] }])).toEqual({ known: true, value: null });
  });

  it("keep the records of their runs for a week, and the newest one for as long as they run", async () => {
    const jobs = [note("daily"), note("gone")];
    await run(jobs);
    await age("9 days");
    await run([jobs[0] as Job]);
    await age("1 day");
    await run([jobs[0] as Job]);
    const found = await query("select job, count(*)::int as runs from pgroundwork.job_run group by job order by job");
    expect(found).toEqual([
      { job: "daily", runs: 2 },
      { job: "gone", runs: 1 },
    ]);
  });
});
