import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/target/client.ts";
import { type Clone, type Finished, makeClone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { passwordsOf } from "./passwords.ts";

describe("a clone as it is, with the trading database", () => {
  let clone: Clone;
  let first: Finished;

  beforeAll(async () => {
    clone = await makeClone();
    first = await clone.pgw("up");
  });
  afterAll(() => clone?.remove());

  it("comes up with one command, migrated and seeded", () => {
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toMatch(/^server {7}PostgreSQL 17\.\d+ \(embedded\) on 127\.0\.0\.1:\d+$/m);
    expect(first.stdout).toContain("  migrations 6 applied, last 000006-working-orders-index.sql\n");
    expect(first.stdout).toContain("  seeds      reference (4 files), dev (8 files)\n");
    expect(first.stdout).toContain("  roles      trading_app, trading_migrator, trading_readonly\n");
  });

  it("changes nothing when it is brought up again", async () => {
    const { stdout, stderr } = await clone.succeed("up");
    expect(stdout).toMatch(/^no changes \(\d+ resources\), in /);
    // Neither a provider that it has nothing of is named, nor is there anything that the engine warns of.
    expect(stderr).not.toMatch(/docker|warning/i);
  });

  it("has nothing to preview", async () => {
    const { stdout } = await clone.succeed("preview");
    expect(stdout).toMatch(/^no changes \(\d+ resources\)\n$/);
  });

  it("has no drift to refresh", async () => {
    const { stdout } = await clone.succeed("refresh");
    expect(stdout).toMatch(/^no changes \(\d+ resources\)\n$/);
  });

  it("leaves the work tree as it was", async () => {
    expect((await clone.shell("git status --porcelain")).stdout).toBe("");
  });

  it("prints no password at all, and outputs only those that were asked for", async () => {
    const masked = await clone.succeed("outputs", "--json");
    const text = await clone.succeed("outputs");
    const secrets = await passwordsOf(clone);
    expect(new Set(secrets).size).toBe(6);
    for (const secret of secrets) {
      for (const { stdout, stderr } of [first, masked, text]) expect(stdout + stderr).not.toContain(secret);
    }
    expect(masked.stdout).toContain('"password": "[secret]"');
  });

  it("keeps a row that an application wrote over down and up", async () => {
    await clone.query("app", "insert into currencies (code, name, kind, decimals) values ('TST', 'Test', 'fiat', 2)");
    const stopped = await clone.succeed("down");
    expect(stopped.stdout).toMatch(/^stopped; the data is kept in /);
    expect((await clone.succeed("down")).stdout).toMatch(/^was not running; the data is kept in /);
    expect(await changesOf(clone, "up")).toEqual(["update server-postgres: pid", "update server-ready: trigger"]);
    expect(await clone.query("readonly", "select name from currencies where code = 'TST'")).toEqual([{ name: "Test" }]);
  });

  it("says that every migration is applied", async () => {
    const { stdout } = await clone.succeed("migrate", "status", "--json");
    const { applied, pending, problems } = JSON.parse(stdout) as Record<string, unknown[]>;
    expect([applied?.length, pending, problems]).toEqual([6, [], []]);
    expect((await clone.succeed("migrate", "verify")).stdout).toBe(
      "trading of stack local: 6 applied migrations are as their files say\n",
    );
  });

  it("names test logins whose passwords are right", async () => {
    const { stdout } = await clone.succeed("seed", "info");
    const [, user, password] = /^ {2}(trader1@example\.com) \/ (\S+)$/m.exec(stdout) ?? [];
    const [row] = await clone.query<{ hash: string }>(
      "app",
      `select replace(password_hash, '$2b$', '$2a$') as hash from users where email = '${user}'`,
    );
    // In the server's own database: the kit's extensions are none of the test's business.
    const superuser = { ...(await clone.login("superuser")), database: "postgres" };
    const right = await withClient(superuser, async (client) => {
      await client.query("create extension pgcrypto");
      const { rows } = await client.query("select crypt($1, $2) = $2 as right, crypt('wrong', $2) = $2 as wrong", [
        password,
        row?.hash,
      ]);
      return rows;
    });
    expect(right).toEqual([{ right: true, wrong: false }]);
  });
});
