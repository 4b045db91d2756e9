import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StackEntry } from "../../../../scripts/stack/stacks.ts";
import { connectionUrl } from "../../../../scripts/target/connection.ts";
import type { Clone, Finished } from "../../clone.ts";
import { commit, makeShop, shopDrafts } from "../../infra/program/shop.ts";

let clone: Clone;

beforeAll(async () => {
  clone = await makeShop();
  await clone.succeed("up");
});
afterAll(() => clone?.remove());

/** Runs `pgw` with variables in its environment. */
const pgwWith = (variables: string, command: string): Promise<Finished> =>
  clone.shell(`${variables} node_modules/.bin/node scripts/pgw.mjs ${command}`);

describe("setup", () => {
  it("writes a .env for the application when asked, for its owner only and outside Git", async () => {
    const { stdout } = await clone.succeed("setup", "--write-env");
    expect(stdout).toContain("npm run pgw -- seed info");
    const path = join(clone.root, ".env");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await clone.shell("git status --porcelain")).stdout).toBe("");
    const read = await clone.shell('. ./.env && printf "%s" "$DATABASE_URL"');
    expect(read.stdout === connectionUrl(await clone.login("app"))).toBe(true);
    expect(await readFile(path, "utf8")).toContain('DB_NAME="shop"\n');
  });

  it("keeps a .env that is there", async () => {
    await writeFile(join(clone.root, ".env"), "MINE=1\n");
    const { code, stdout, stderr } = await clone.pgw("setup", "--write-env");
    // Nothing of `up` was done, either.
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toContain(`error: ${join(clone.root, ".env")} is there already.\n  Add --force to replace it.\n`);
    expect(await readFile(join(clone.root, ".env"), "utf8")).toBe("MINE=1\n");
    await clone.succeed("setup", "--write-env", "--force");
    expect(await readFile(join(clone.root, ".env"), "utf8")).toContain("DATABASE_URL=");
  });
});

describe("data commands on a stack", () => {
  it("apply what was added without an up, and the next up finds nothing left", async () => {
    await commit(clone, [...shopDrafts, { name: "notes", body: "alter table product add column note text;" }]);
    const { stdout, stderr } = await clone.succeed("migrate", "up");
    expect(stdout).toBe("shop of stack local: 1 applied\n");
    expect(stderr).toMatch(/^applied 000003-notes\.sql in \d+ ms$/m);
    expect((await clone.succeed("migrate", "up")).stdout).toBe("shop of stack local: nothing pending\n");
    // The stack takes note of it once; there is nothing to run.
    const up = await clone.succeed("up");
    expect(up.stdout).toContain("~ Migrations shop-migrations (applied)\n1 updated");
    expect(up.stderr).not.toContain("applied 000");
    expect((await clone.succeed("up")).stdout).toMatch(/^no changes /);
  });

  it("apply seeds that changed, and say how many", async () => {
    await clone.write(
      "migrations/shop/seeds/dev/020-more.sql",
      "insert into product values (20, 'mate', 5) on conflict do nothing;\n",
    );
    expect((await clone.pgw("seed", "info", "--json")).code).toBe(4);
    expect((await clone.succeed("seed", "apply")).stdout).toBe("shop of stack local: 1 applied, 2 as they were\n");
    expect((await clone.succeed("seed", "info")).stdout).toMatch(/^dev +020-more\.sql +current/m);
  });

  it("clear seeds once that is confirmed, and the next up puts them in again", async () => {
    await clone.query("app", "insert into product values (99, 'mine', 1)");
    const planned = await clone.pgw("seed", "clear", "--dry-run");
    expect([planned.code, planned.stdout.split("\n")[0]]).toEqual([
      4,
      "shop of stack local: 5 rows of 3 seed files would be deleted",
    ]);
    const unconfirmed = await clone.pgw("seed", "clear");
    expect([unconfirmed.code, unconfirmed.stdout]).toEqual([3, ""]);
    expect(unconfirmed.stderr).toContain(
      "error: Clearing seeds needs a confirmation: nothing was changed.\n  Add --yes.\n",
    );
    expect((await clone.succeed("seed", "clear", "--yes")).stdout).toContain("5 rows of 3 seed files deleted");
    expect(await clone.query("app", "select id from product")).toEqual([{ id: 99 }]);
    expect((await clone.succeed("up")).stderr).toContain("applied reference/010-products.sql");
    expect(await clone.query("app", "select count(*)::int as products from product")).toEqual([{ products: 4 }]);
  });

  it("refuse a database, role or set that there is not, with those there are", async () => {
    const messages = {
      "url --database shpo": 'Stack "local" has no database "shpo". It has: shop.',
      "url --role owner":
        'There is no role "owner" to log in as. There are: app, migrator, readonly, superuser, monitor, backup.',
      "seed apply --set demo": 'shop has no seed set "demo". It has: reference, dev.',
    };
    for (const [command, message] of Object.entries(messages)) {
      const { code, stderr } = await clone.pgw(...command.split(" "));
      expect([code, stderr.split("\n")[0]]).toEqual([2, `error: ${message}`]);
    }
  });
});

describe("data commands by a connection", () => {
  it("work on what DATABASE_URL names, and say so", async () => {
    const url = connectionUrl(await clone.login("migrator"));
    const { code, stdout, stderr } = await pgwWith(`DATABASE_URL='${url}'`, "migrate status");
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^target: shop_migrator@127\.0\.0\.1:\d+\/shop$/m);
    expect(stdout).toMatch(/^shop_migrator@127\.0\.0\.1:\d+\/shop: 3 applied, 0 pending$/m);
  });

  it("work on what DB_* names, and on --url with PGPASSWORD", async () => {
    const { host, port, user, password, database } = await clone.login("migrator");
    const parts = `DB_HOST=${host} DB_PORT=${port} DB_USER=${user} DB_NAME=${database} DB_SSLMODE=disable DB_PASSWORD='${password}'`;
    expect((await pgwWith(parts, "migrate verify")).code).toBe(0);
    const url = `postgresql://${user}@${host}:${port}/${database}?sslmode=disable`;
    expect((await pgwWith(`PGPASSWORD='${password}'`, `migrate verify --url '${url}'`)).code).toBe(0);
  });

  it("say that they could not tell, where the role may not", async () => {
    const url = connectionUrl(await clone.login("readonly"));
    const { code, stdout, stderr } = await pgwWith(`DATABASE_URL='${url}'`, "migrate status");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("Could not tell which migrations shop_readonly@");
  });
});

describe("psql", () => {
  it("opens the client that is on PATH with the password in its environment, not in its arguments", async () => {
    const { password } = await clone.login("readonly");
    const fake = join(clone.root, ".git", "psql");
    await writeFile(fake, '#!/bin/sh\nprintf "%s\\n" "$PGPASSWORD" "$PGUSER" "$@"\n');
    await chmod(fake, 0o755);
    const { stdout, stderr } = await pgwWith('PATH="$PWD/.git:$PATH"', "psql --role readonly -- -c 'select 1'");
    const [first, ...others] = stdout.trimEnd().split("\n");
    expect(first === password, stderr).toBe(true);
    expect(others.join(" ")).not.toContain(password);
    expect(others.slice(-2)).toEqual(["-c", "select 1"]);
  });

  it("opens what the environment names where no role is, though no folder belongs to it, and a stack that is named before it", async () => {
    const connection = { ...(await clone.login("readonly")), database: "postgres" };
    const variables = `DATABASE_URL='${connectionUrl(connection)}' PATH="$PWD/.git:$PATH"`;
    const named = await pgwWith(variables, "psql --database postgres");
    expect(named.stdout.split("\n")[1], named.stderr).toBe("shop_readonly");
    expect(named.stderr).toMatch(/^target: shop_readonly@127\.0\.0\.1:\d+\/postgres$/m);
    const stack = await pgwWith(variables, "psql --stack local --role migrator");
    expect(stack.stdout.split("\n")[1], stack.stderr).toBe("shop_migrator");
  });
});

describe("logs and stacks", () => {
  it("logs shows the last lines of the server's log", async () => {
    const { stdout } = await clone.succeed("logs", "--lines", "2");
    expect(stdout.trimEnd().split("\n")).toHaveLength(2);
  });

  it("logs -f ends when nobody reads it any more", async () => {
    const piped = await clone.shell("set -o pipefail; node_modules/.bin/node scripts/pgw.mjs logs -f | true");
    expect(piped).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("stacks lists the stack with its state", async () => {
    const stacks = JSON.parse((await clone.succeed("stacks", "--json")).stdout) as StackEntry[];
    expect(stacks.find(({ name }) => name === "local")).toMatchObject({ name: "local", deployed: true });
  });
});
