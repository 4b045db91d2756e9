import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LintReport } from "../../../../../scripts/lint/lint.ts";
import { applyMigrations } from "../../../../../scripts/migrate/apply.ts";
import type { MigrationPlan } from "../../../../../scripts/migrate/plan/plan.ts";
import { type Connection, connectionUrl } from "../../../../../scripts/target/connection.ts";
import type { Draft } from "../../../../unit/scripts/migrate/committed-folder.ts";
import type { Clone, Finished } from "../../../clone.ts";
import { commit, makeShop, shopDrafts } from "../../../infra/program/shop.ts";
import { startServer, type TestServer } from "../../../server.ts";

const change = { name: "change", body: "alter table product add column ref uuid default gen_random_uuid();" };

let clone: Clone;
let server: TestServer;
let connection: Connection;

/** Runs `pgw migrate` on the server's database, with its superuser as root unless told otherwise. */
const migrate = (command: string, root: Connection | undefined = server.connection()): Promise<Finished> =>
  clone.shell(
    `DATABASE_URL='${connectionUrl(connection)}' ${root === undefined ? "" : `ROOT_DATABASE_URL='${connectionUrl(root)}'`} node_modules/.bin/node scripts/pgw.mjs migrate ${command}`,
  );

/** The shop's two files, and this as the third. */
async function commitThird(...third: Draft[]): Promise<void> {
  await clone.shell("rm -f migrations/shop/committed/000003-*");
  await commit(clone, [...shopDrafts, ...third]);
}

beforeAll(async () => {
  server = await startServer();
  await server.createDatabase("shop");
  connection = server.as("migrator", "shop");
  clone = await makeShop();
});
afterAll(async () => {
  await clone?.remove();
  await server?.stop();
});

describe("migrate plan", () => {
  it("ends with 4 where something is pending, and tells it for people and for programs", async () => {
    const folder = `${clone.root}/migrations/shop`;
    await commitThird(change);
    await applyMigrations({ connection, folder, to: "2" });
    const { code, stdout, stderr } = await migrate("plan -d shop");
    expect([code, stderr]).toEqual([4, expect.stringContaining("trying 000003-change.sql\n")]);
    expect(stdout).toMatch(
      /^\S+: 1 would be applied\n\n000003-change\.sql\n {2}4 \| alter table product add column ref uuid default gen_random_uuid\(\)\n {6}rewrites product \(rows not counted yet, \d+ kB\)\n {6}blocks reads and writes of product \(ACCESS EXCLUSIVE\)\n$/,
    );
    const json = await migrate("plan -d shop --json");
    const plan = JSON.parse(json.stdout) as MigrationPlan;
    expect([json.code, plan.files[0]?.statements[0]?.effects?.rewritten]).toEqual([4, ["public.product"]]);
  });

  it("ends with 1 where a file fails, with its place", async () => {
    await commitThird({ name: "broken", body: "select nothing;" });
    const { code, stdout } = await migrate("plan -d shop");
    expect([code, stdout]).toEqual([
      1,
      expect.stringContaining('000003-broken.sql:4:8: column "nothing" does not exist'),
    ]);
  });

  it("ends with 0 where nothing is pending, and with 5 where files do not fit", async () => {
    await commitThird();
    expect((await migrate("plan -d shop")).code).toBe(0);
    await clone.shell("echo '-- more' >> migrations/shop/committed/000001-products.sql");
    const { code, stdout } = await migrate("plan -d shop");
    expect([code, stdout]).toEqual([5, expect.stringContaining("000001-products.sql was edited after it was applied")]);
  });

  it("says what it needs where the login may make no scratch database", async () => {
    await commitThird(change);
    const { code, stderr } = await migrate("plan -d shop", connection);
    expect([code, stderr]).toEqual([1, expect.stringContaining("cannot make a scratch database")]);
    expect(stderr).toContain("Name a login that may create databases and extensions in ROOT_DATABASE_URL.");
  });
});

describe("migrate lint", () => {
  const drop = { name: "drop", body: "alter table product drop column price;" };
  interface Linted {
    databases: (LintReport & { database: string; files: number })[];
  }

  it("ends with 5 on an error in what is pending, and with 0 once a reason stands before it", async () => {
    await commitThird(drop);
    const { code, stdout } = await migrate("lint -d shop");
    expect([code, stdout]).toEqual([
      5,
      "000003-drop.sql:4:21: error ban-drop-column: Dropping a column may break existing clients.\nshop: 1 judged, 1 found, 0 accepted with reason\n",
    ]);
    await commitThird({ ...drop, body: `-- squawk-ignore ban-drop-column: unused\n${drop.body}` });
    const accepted = await migrate("lint -d shop --json");
    expect(accepted.code).toBe(0);
    expect((JSON.parse(accepted.stdout) as Linted).databases).toMatchObject([
      { database: "shop", files: 1, findings: [], exceptions: [{ rule: "ban-drop-column", reason: "unused" }] },
    ]);
  });

  it("judges files without any database, all of them or those behind one", async () => {
    await commitThird(drop);
    const lint = (command: string) => clone.shell(`node_modules/.bin/node scripts/pgw.mjs migrate lint ${command}`);
    expect(await lint("-d shop --all")).toMatchObject({
      code: 0,
      stdout: "shop: 3 judged, 0 found, 0 accepted with reason\n",
    });
    expect(await lint("-d shop --since 2")).toMatchObject({ code: 5 });
    expect(await lint("-d shop --since 9")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no migration "9"') as string,
    });
    expect(await lint("-d shop --since 2 --all")).toMatchObject({ code: 2 });
  });
});

describe("migrate commit", () => {
  it("tells what protected stacks will refuse, as long as it can be taken back", async () => {
    await commitThird();
    await clone.write(
      "migrations/shop/current.sql",
      "--! Message: no price\n\nalter table product drop column price;\n",
    );
    await clone.write(
      "migrations/shop/current.down.sql",
      "alter table product add column price numeric(12, 2) not null check (price >= 0);\n",
    );
    const { code, stdout, stderr } = await migrate("commit -d shop");
    expect([code, stdout], stderr).toEqual([
      0,
      expect.stringContaining("committed/000003-no-price.sql is committed\n"),
    ]);
    expect(stderr).toContain(
      "000003-no-price.sql:5:21: error ban-drop-column: Dropping a column may break existing clients.\nProtected stacks refuse it like that. To change it: `migrate uncommit`.\n",
    );
    expect((await migrate("uncommit -d shop")).code).toBe(0);
  });
});
