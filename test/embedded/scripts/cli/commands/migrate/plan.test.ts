import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../../../scripts/connection/client.ts";
import { type Connection, connectionUrl } from "../../../../../../scripts/connection/connection.ts";
import { applyMigrations } from "../../../../../../scripts/migrate/apply.ts";
import type { LintReport } from "../../../../../../scripts/migrate/lint/lint.ts";
import type { MigrationPlan } from "../../../../../../scripts/migrate/plan/plan.ts";
import type { Draft } from "../../../../../unit/scripts/migrate/committed-folder.ts";
import type { Clone, Finished } from "../../../../clone.ts";
import { commit, makeShop, shopDrafts } from "../../../../infra/program/shop.ts";
import { startServer, type TestServer } from "../../../../server.ts";

const change = { name: "change", body: "alter table product add column ref uuid default gen_random_uuid();" };

let clone: Clone;
let server: TestServer;
let connection: Connection;

/** Runs `pgw migrate` on the server's database, by default with its superuser as root. */
const migrate = (command: string, root: Connection | undefined = server.connection()): Promise<Finished> =>
  clone.pgwWith(
    {
      DATABASE_URL: connectionUrl(connection),
      ...(root === undefined ? {} : { ROOT_DATABASE_URL: connectionUrl(root) }),
    },
    "migrate",
    ...command.split(" "),
  );

/** Writes the shop's two files and further ones. */
async function commitThird(...third: Draft[]): Promise<void> {
  await clone.shell("rm -f migrations/shop/committed/000003-*");
  await commit(clone, [...shopDrafts, ...third]);
}

beforeAll(async () => {
  server = await startServer();
  await server.createDatabase("shop");
  connection = server.as("migrator", "shop");
  // The extension in the shop's database.json.
  await withClient(server.connection("shop"), (client) => client.query("create extension citext"));
  clone = await makeShop();
});
afterAll(async () => {
  await clone?.remove();
  await server?.stop();
});

describe("migrate plan", () => {
  it("exits with 4 if something is pending, and prints it for people or as JSON", async () => {
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

  it("exits with 1 if a file fails, and prints its position", async () => {
    await commitThird({ name: "broken", body: "select nothing;" });
    const { code, stdout } = await migrate("plan -d shop");
    expect([code, stdout]).toEqual([
      1,
      expect.stringContaining('000003-broken.sql:4:8: column "nothing" does not exist'),
    ]);
  });

  it("exits with 0 if nothing is pending, and with 5 if files do not match", async () => {
    await commitThird();
    expect((await migrate("plan -d shop")).code).toBe(0);
    await clone.shell("echo '-- more' >> migrations/shop/committed/000001-products.sql");
    const { code, stdout } = await migrate("plan -d shop");
    expect([code, stdout]).toEqual([5, expect.stringContaining("000001-products.sql was edited after it was applied")]);
  });

  it("needs no login that can create databases", async () => {
    await commitThird(change);
    const { code, stderr } = await migrate("plan -d shop", connection);
    expect([code, stderr]).toEqual([4, expect.stringContaining("trying 000003-change.sql\n")]);
  });
});

describe("migrate lint", () => {
  const drop = { name: "drop", body: "alter table product drop column price;" };
  interface Linted {
    databases: (LintReport & { database: string; files: number })[];
  }

  it("exits with 5 on an error in pending files, and with 0 once a reason precedes it", async () => {
    await commitThird(drop);
    const { code, stdout } = await migrate("lint -d shop");
    expect([code, stdout]).toEqual([
      5,
      "000003-drop.sql:4:21: error ban-drop-column: Dropping a column may break existing clients.\nshop: 1 checked, 1 found, 0 accepted with a reason\n",
    ]);
    await commitThird({ ...drop, body: `-- squawk-ignore ban-drop-column: unused\n${drop.body}` });
    const accepted = await migrate("lint -d shop --json");
    expect(accepted.code).toBe(0);
    expect((JSON.parse(accepted.stdout) as Linted).databases).toMatchObject([
      { database: "shop", files: 1, findings: [], exceptions: [{ rule: "ban-drop-column", reason: "unused" }] },
    ]);
  });

  it("checks files without a database, either all or those after a given one", async () => {
    await commitThird(drop);
    const lint = (command: string) => clone.pgw("migrate", "lint", ...command.split(" "));
    expect(await lint("-d shop --all")).toMatchObject({
      code: 0,
      stdout: "shop: 3 checked, 0 found, 0 accepted with a reason\n",
    });
    expect(await lint("-d shop --since 2")).toMatchObject({ code: 5 });
    expect(await lint("-d shop --since 9")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('The migration "9" does not exist') as string,
    });
    expect(await lint("-d shop --since 2 --all")).toMatchObject({ code: 2 });
  });
});

describe("migrate commit", () => {
  it("reports what protected stacks will refuse, while the commit can still be reverted", async () => {
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
      "000003-no-price.sql:5:21: error ban-drop-column: Dropping a column may break existing clients.\nProtected stacks refuse this file. To change it: `migrate uncommit`.\n",
    );
    expect((await migrate("uncommit -d shop")).code).toBe(0);
  });
});

describe("a draft in current.sql", () => {
  const write = (text: string) => clone.write("migrations/shop/current.sql", text);
  interface Shown {
    pending: unknown[];
    draft: object | null;
  }

  it("is shown by status, plan and lint apart from the pending files, and changes no exit code", async () => {
    await commitThird();
    await write("--! Message: no price\n\nalter table product drop column price;\nselect nothing;\n");
    const status = await migrate("status -d shop --json");
    const { pending, draft } = JSON.parse(status.stdout) as Shown;
    expect([status.code, pending, draft]).toEqual([
      0,
      [],
      { filename: "current.sql", message: "no price", statements: 2, unreadable: null },
    ]);
    const plan = await migrate("plan -d shop");
    expect([plan.code, plan.stdout], plan.stderr).toEqual([
      0,
      expect.stringMatching(
        /: nothing pending\n\ndraft, not applied by `up`:\ncurrent\.sql\n {2}3 \| alter table product drop column price\n[\s\S]*fails\nIt fails in a scratch cluster:\ncurrent\.sql:4:8: column "nothing" does not exist/,
      ) as string,
    ]);
    const lint = await migrate("lint -d shop --json");
    const finding = { file: "current.sql", line: 3, rule: "ban-drop-column" };
    expect([lint.code, JSON.parse(lint.stdout)]).toMatchObject([
      0,
      { databases: [{ files: 0, findings: [], draft: { filename: "current.sql", findings: [finding] } }] },
    ]);
    expect((await migrate("lint -d shop --all")).stdout).toContain("shop: draft current.sql: 1 found, 0 accepted");
  });

  it("is tried after the pending files, whose plan does not depend on it", async () => {
    await commitThird(change);
    await write("alter table product drop column ref;\n");
    const { code, stdout } = await migrate("plan -d shop --json");
    const plan = JSON.parse(stdout) as MigrationPlan;
    expect([code, plan.files.map(({ filename, trial }) => [filename, trial]), plan.draft?.trial]).toEqual([
      4,
      [["000003-change.sql", "passed"]],
      "passed",
    ]);
    await write("--! no-transaction\nvacuum product; vacuum product;\n");
    const other = await migrate("plan -d shop --json");
    const { files, draft } = JSON.parse(other.stdout) as MigrationPlan;
    expect([other.code, files[0]?.trial, draft?.trial]).toEqual([4, "passed", "not tried"]);
    expect(draft?.notTried).toContain("has --! no-transaction and 2 statements");
  });

  it("that cannot be read is reported and hides nothing", async () => {
    await commitThird();
    await write("create table more ();\n");
    await clone.write("migrations/shop/current/1-a.sql", "select 1;\n");
    const { code, stdout } = await migrate("status -d shop --json");
    expect([code, (JSON.parse(stdout) as Shown).draft]).toEqual([
      0,
      { filename: "current.sql", message: null, statements: null, unreadable: expect.any(String) as string },
    ]);
    expect((await migrate("lint -d shop")).stdout).toContain(
      "current.sql cannot be read as a draft, and was not checked",
    );
    await clone.shell("rm -r migrations/shop/current");
  });

  it("is committed without applying it, and without a database is not tried", async () => {
    await write("--! Message: more\n\ncreate table more ();\n");
    await clone.write("migrations/shop/current.down.sql", "drop table more;\n");
    const { code, stdout, stderr } = await clone.pgw("migrate", "commit", "-d", "shop", "--no-apply");
    expect([code, stdout], stderr).toEqual([
      0,
      'committed/000003-more.sql is committed\nnot tried: Stack "local" is not up\nnot applied: `migrate up` applies it\n',
    ]);
    expect((await migrate("status -d shop")).stdout).toContain("000003-more.sql      pending");
    await commitThird();
  });
});
