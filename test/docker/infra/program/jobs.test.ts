import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { inDatabase } from "../../../../scripts/connection/connection.ts";
import type { HealthStatus } from "../../../../scripts/health/judge.ts";
import { historyJob } from "../../../../scripts/model/job-history.ts";
import type { StackOutputs } from "../../../../scripts/model/stack-outputs.ts";
import { commit, shopDrafts } from "../../../embedded/infra/program/shop.ts";
import { type Prometheus, prometheusAt } from "../../prometheus.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

const beat = { schedule: "1 second", command: "insert into beat values (session_user || ' as ' || current_user)" };
const daily = { schedule: "0 3 * * *", command: "select 1" };

/** A table by month, with a partition of long ago, and a function that makes one partition. */
const entries = `create table entry (at date not null) partition by range (at);
create table entry_default partition of entry default;
create table entry_2001_01 partition of entry for values from ('2001-01-01') to ('2001-02-01');
create function make_partitions(months_ahead integer, dry_run boolean) returns setof text language plpgsql as $$
begin
  if not dry_run and to_regclass('public.entry_2101_01') is null then
    create table public.entry_2101_01 partition of public.entry for values from ('2101-01-01') to ('2101-02-01');
  end if;
end $$;`;

// One stack for the life of jobs: each test starts with the jobs of the one before it.
describe("the jobs in the database.json of two databases in a container", () => {
  let shop: DockerStack;
  let prometheus: Prometheus;

  const declare = (database: string, jobs?: Record<string, unknown>) =>
    shop.clone.write(`migrations/${database}/database.json`, JSON.stringify(jobs === undefined ? {} : { jobs }));
  const query = async (role: string, database: string, sql: string) => {
    const connection = inDatabase(await shop.clone.login(role, "shop", shop.stack), database);
    return (await withClient(connection, (client) => client.query(sql))).rows;
  };
  const jobs = () =>
    query(
      "superuser",
      "postgres",
      "select jobname as name, schedule, active, database, username as role from cron.job order by jobname",
    );
  const job = (name: string, schedule: string, database: string) => {
    return { name: `pgroundwork: ${name}`, schedule, active: true, database, role: `${database}_migrator` };
  };
  const history = {
    ...{ name: "pgroundwork: delete old runs", schedule: "17 * * * *", active: true },
    ...{ database: "postgres", role: "postgres" },
  };
  const byHand = { name: "by hand", schedule: "0 4 * * *", active: true, database: "postgres", role: "postgres" };

  beforeAll(async () => {
    shop = await makeDockerStack();
    await commit(shop.clone, [
      ...shopDrafts,
      { name: "beat", body: "create table beat (who text not null);" },
      { name: "entries", body: entries },
    ]);
    await declare("shop", { beat, old: daily });
    await declare("crm", { nightly: daily });
    await shop.configure({ databases: ["shop", "crm"], seeds: [], monitoring: true });
    // Prometheus measures often, and alerts fire at once.
    await shop.clone.shell(`sed -i '/^ *for: /d' infra/monitoring/alerts.yml
      sed -i 's/^\\(  scrape_interval\\|  scrape_timeout\\|  evaluation_interval\\): .*/\\1: 3s/' infra/plan/monitoring.ts`);
    await shop.succeed("up");
    const { monitoring } = JSON.parse((await shop.succeed("outputs", "--json")).stdout) as StackOutputs;
    prometheus = prometheusAt(monitoring?.prometheus ?? "");
  });

  it("run in their database as its migrator, which acts as the owner; a second up changes nothing", async () => {
    let beats: unknown[] = [];
    for (let tries = 0; beats.length === 0 && tries < 60; tries += 1) {
      await sleep(500);
      beats = await query("readonly", "shop", "select distinct who from beat");
    }
    expect(beats).toEqual([{ who: "shop_migrator as shop_owner" }]);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("are added, changed and removed as preview says, and jobs of others stay", async () => {
    await query("superuser", "postgres", "select cron.schedule('by hand', '0 4 * * *', 'select 1')");
    await query("superuser", "postgres", "update cron.job set active = false where jobname = 'pgroundwork: nightly'");
    await declare("shop", { beat: { ...beat, schedule: "2 seconds" }, tidy: daily });
    const { stdout } = await shop.succeed("preview");
    expect(stdout).toMatch(/Jobs shop-jobs\n +change job beat\n +add job tidy\n +remove job old\n/);
    expect(stdout).toMatch(/Jobs crm-jobs\n +change job nightly\n/);
    await shop.succeed("up");
    expect(await jobs()).toEqual([
      byHand,
      job("beat", "2 seconds", "shop"),
      history,
      job("nightly", "0 3 * * *", "crm"),
      job("tidy", "0 3 * * *", "shop"),
    ]);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  const status = async () => {
    const { code, stdout } = await shop.pgw("status");
    return { code, jobs: stdout.match(/^jobs .*\n(?: .*\n)*/m)?.[0].replaceAll(/\S+T\S+Z/g, "TIME") };
  };
  const measured = async (metric: string) =>
    (await prometheus.query(metric)).map(({ labels, value }) => `${labels.datname} ${labels.name} ${value}`).sort();
  const polling = { timeout: 60_000, interval: 500 };

  it("are in status, in measurements and in alerts, with their failures and delays", async () => {
    expect(await status()).toEqual({ code: 0, jobs: "jobs         4 scheduled\n" });
    await expect
      .poll(() => measured("pg_job_recorded"), polling)
      .toEqual(["crm nightly 1", "postgres delete old runs 1", "shop beat 1", "shop tidy 1"]);
    await expect.poll(() => prometheus.firing(), polling).toEqual([]);
    // A day, a tenth of it and 5 min.
    const scheduled = (seconds: number) =>
      query(
        "superuser",
        "postgres",
        `update pgroundwork.job set changed_at = now() - interval '${seconds} s'
          where id = (select jobid from cron.job where jobname = 'pgroundwork: nightly')`,
      );
    await scheduled(95_340 - 60);
    expect((await status()).code).toBe(0);
    await scheduled(95_340 + 7_200);
    await query("superuser", "shop", "alter table beat rename to missing");
    await expect.poll(() => prometheus.firing(), polling).toEqual(["PostgreSQLJobFailed", "PostgreSQLJobOverdue"]);
    expect(await measured("pg_job_failed == 1")).toEqual(["shop beat 1"]);
    expect(await measured("pg_job_overdue_seconds > 7200")).toHaveLength(1);
    const missing = 'ERROR: relation "beat" does not exist';
    expect(await status()).toEqual({
      code: 5,
      jobs: [
        "jobs         4 scheduled",
        "  overdue    crm: nightly: 2 h, it has never run",
        `  failed     shop: beat: its last run ended at TIME with: ${missing}`,
        "",
      ].join("\n"),
    });
    const { stdout } = await shop.pgw("health", "check", "--json");
    expect((JSON.parse(stdout) as HealthStatus).subjects.find(({ name }) => name === "jobs")).toEqual({
      ...{ name: "jobs", level: "warning" },
      detail: expect.stringMatching(
        /^4 declared, last run \S+Z; crm: nightly \(overdue\), shop: beat \(failed\): see jobs list$/,
      ),
    });
    await query("superuser", "shop", "alter table missing rename to beat");
    await query("superuser", "postgres", "update cron.job set active = false where jobname = 'pgroundwork: tidy'");
    await scheduled(0);
    await expect.poll(status, { timeout: 30_000 }).toEqual({
      code: 5,
      jobs: expect.stringMatching(/scheduled; 1 pending: change job tidy of shop\n +stopped +shop/),
    });
  });

  it("keep the records of their runs for a week, and the newest one for as long as they exist", async () => {
    const runs = () => query("superuser", "postgres", "select runid::int from cron.job_run_details where runid < 0");
    await query(
      "superuser",
      "postgres",
      `insert into cron.job_run_details (jobid, runid, status, start_time, end_time)
       select jobid, run, 'succeeded', now() - age, now() - age
         from cron.job,
              (values (-4, interval '9 days'), (-3, '8 days'), (-2, '6 days')) as given (run, age)
        where jobname = 'pgroundwork: nightly'
       union all select 1000000, -5, 'succeeded', null, now() - interval '8 days'
       union all select jobid, -6, 'succeeded', now() - interval '99 days', null
         from cron.job where jobname = 'by hand'`,
    );
    await query("superuser", "postgres", historyJob.command);
    expect(await runs()).toEqual([{ runid: -2 }, { runid: -6 }]);
    await query("superuser", "postgres", "delete from cron.job_run_details where runid < 0");
  });

  it("run in their database under its new name after it is renamed, even if one is always running", async () => {
    const id = "(select jobid from cron.job where jobname = 'pgroundwork: nightly')";
    await query("superuser", "postgres", `select cron.alter_job(${id}, '1 second')`);
    // Together, they leave no moment in which the database has no session.
    const slow = ["slow 1", "slow 2", "slow 3", "slow 4"];
    for (const name of slow)
      await query(
        "superuser",
        "postgres",
        `select cron.schedule_in_database('${name}', '1 second', 'select pg_sleep(1.3)', 'crm')`,
      );
    const runs = (database: string) =>
      query(
        "superuser",
        "postgres",
        `select runid from cron.job_run_details
          where jobid = ${id} and database = '${database}' and status = 'succeeded'`,
      );
    await expect.poll(async () => (await runs("crm")).length, { timeout: 30_000 }).toBeGreaterThan(0);
    await shop.clone.succeed("database", "rename", "crm", "depot");
    await shop.succeed("database", "rename", "crm", "depot", "--on-server");
    await expect.poll(async () => (await runs("depot")).length, { timeout: 30_000 }).toBeGreaterThan(0);
    expect(await jobs()).toContainEqual(job("nightly", "1 second", "depot"));
    expect((await jobs()).filter(({ name }) => slow.includes(name)).map(({ database }) => database)).toEqual(
      slow.map(() => "depot"),
    );
    for (const name of slow) await query("superuser", "postgres", `select cron.unschedule('${name}')`);
    await query("superuser", "postgres", `select cron.alter_job(${id}, '0 3 * * *')`);
    const { stdout } = await shop.succeed("up");
    expect(stdout).not.toMatch(/(add|change|remove)d? job nightly/);
    expect(await jobs()).toContainEqual(job("nightly", "0 3 * * *", "depot"));
  });

  it("create partitions and drop old ones, and are in the list of jobs, which the server runs itself", async () => {
    const partitions = { function: "public.make_partitions", monthsAhead: 1, keepMonths: 12 };
    await shop.clone.write("migrations/shop/database.json", JSON.stringify({ partitions }));
    await shop.succeed("up");
    await query("superuser", "shop", "drop table if exists entry_2101_01");
    for (const name of ["create partitions", "drop old partitions"])
      await query(
        "superuser",
        "postgres",
        `select cron.alter_job((select jobid from cron.job where jobname = 'pgroundwork: ${name}'), '1 second')`,
      );
    const found = () =>
      query("superuser", "shop", "select relname as name from pg_class where relname like 'entry%' order by 1");
    await expect
      .poll(found, { timeout: 30_000 })
      .toEqual([{ name: "entry" }, { name: "entry_2101_01" }, { name: "entry_default" }]);
    expect((await shop.succeed("logs", "--lines", "200")).stdout).toMatch(
      /WARNING: +dropped partition public\.entry_2001_01,/,
    );
    await expect
      .poll(async () => (await shop.pgw("jobs", "list", "--database", "shop")).stdout, { timeout: 30_000 })
      .toMatch(/^shop +drop old partitions +1 second +(succeeded|running) +\S+Z /m);
    const run = await shop.pgw("jobs", "run", "--due");
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining("runs the jobs itself, with pg_cron")]);
  });

  it("are removed with their declaration", async () => {
    await declare("shop");
    await shop.succeed("up");
    expect(await jobs()).toEqual([byHand, history, job("nightly", "0 3 * * *", "depot")]);
  });

  it("are removed with their database", async () => {
    await shop.succeed("destroy", "--erase", "depot", "--yes");
    expect(await jobs()).toEqual([byHand, history]);
  });
});
