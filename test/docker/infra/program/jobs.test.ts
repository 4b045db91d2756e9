import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { inDatabase } from "../../../../scripts/connection/connection.ts";
import { commit, shopDrafts } from "../../../embedded/infra/program/shop.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

const beat = { schedule: "1 second", command: "insert into beat values (session_user || ' as ' || current_user)" };
const daily = { schedule: "0 3 * * *", command: "select 1" };

// One stack for the life of jobs: each test starts with the jobs of the one before it.
describe("the jobs in the database.json of two databases in a container", () => {
  let shop: DockerStack;

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
  const byHand = { name: "by hand", schedule: "0 4 * * *", active: true, database: "postgres", role: "postgres" };

  beforeAll(async () => {
    shop = await makeDockerStack();
    await commit(shop.clone, [...shopDrafts, { name: "beat", body: "create table beat (who text not null);" }]);
    await declare("shop", { beat, old: daily });
    await declare("crm", { nightly: daily });
    await shop.configure({ databases: ["shop", "crm"], seeds: [] });
    await shop.succeed("up");
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
      job("nightly", "0 3 * * *", "crm"),
      job("tidy", "0 3 * * *", "shop"),
    ]);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("are removed with their declaration", async () => {
    await declare("shop");
    await shop.succeed("up");
    expect(await jobs()).toEqual([byHand, job("nightly", "0 3 * * *", "crm")]);
  });

  it("are removed with their database", async () => {
    await shop.succeed("destroy", "--erase", "crm", "--yes");
    expect(await jobs()).toEqual([byHand]);
  });
});
