import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { inDatabase } from "../../../../scripts/connection/connection.ts";
import { bodyHash } from "../../../../scripts/migrate/graphile-migrate.ts";
import { type Clone, type Finished, makeClone } from "../../clone.ts";
import { clusterFingerprint, folderFingerprint } from "../../fingerprint.ts";
import { changesOf } from "./changes.ts";
import { passwordsOf } from "./passwords.ts";

const lastTrading = "migrations/trading/committed/000007-schema-migrations-view.sql";

/** Returns the text of a committed file that follows another one. */
function committedText(sql: string, previous: string): string {
  const body = `${sql}\n`;
  return `--! Previous: ${previous}\n--! Hash: ${bodyHash(body, previous)}\n\n${body}`;
}

describe("a fresh clone with the trading database", () => {
  let clone: Clone;
  let first: Finished;

  beforeAll(async () => {
    clone = await makeClone({ git: true, plain: true });
    first = await clone.pgw("up");
  });
  afterAll(() => clone?.remove());

  it("comes up with one command, migrated and seeded", () => {
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toMatch(/^server {7}PostgreSQL 17\.\d+ \(embedded\) on 127\.0\.0\.1:\d+$/m);
    expect(first.stdout).toContain("  migrations 7 applied, last 000007-schema-migrations-view.sql\n");
    expect(first.stdout).toContain("  seeds      reference (4 files), dev (8 files)\n");
    expect(first.stdout).toContain("  roles      trading_app, trading_migrator, trading_readonly\n");
  });

  it("lets only the server's own roles connect to the database postgres", async () => {
    const connects = async (role: string) => {
      const connection = inDatabase(await clone.login(role, "trading"), "postgres");
      return withClient(connection, () => Promise.resolve("connected")).catch((error: Error) => error.message);
    };
    for (const role of ["monitor", "backup", "superuser"]) expect(await connects(role), role).toBe("connected");
    for (const role of ["migrator", "app", "readonly"])
      expect(await connects(role), role).toContain('no CONNECT privilege on database "postgres"');
  });

  it("changes nothing when it is brought up again", async () => {
    const { stdout, stderr } = await clone.succeed("up");
    expect(stdout).toMatch(/^no changes \(\d+ resources\), in /);
    // Expects no mention of an unused provider, and no warning of the engine.
    expect(stderr).not.toMatch(/docker|warning/i);
    await clone.useHosts();
  });

  it("has no changes to preview", async () => {
    const { stdout } = await clone.succeed("preview");
    expect(stdout).toMatch(/^no changes \(\d+ resources\)\n$/);
  });

  it("has no drift to refresh", async () => {
    const { stdout } = await clone.succeed("refresh");
    expect(stdout).toMatch(/^no changes \(\d+ resources\)\n$/);
  });

  it("leaves the work tree unchanged", async () => {
    expect((await clone.shell("git status --porcelain")).stdout).toBe("");
  });

  it("matches its migrations and declarations, and read-only commands change nothing", async () => {
    const superuser = await clone.login("superuser", "trading");
    // Folders of npm and Git, and the engine's home with its logs and caches.
    const isOthers = (path: string) => /^(node_modules|\.git|\.pgroundwork\/home)$/.test(path);
    const all = async () => ({
      ...(await clusterFingerprint(superuser)),
      ...(await folderFingerprint(clone.root, isOthers)),
    });
    const pending = "migrations/trading/committed/000008-roles.sql";
    const [, hash] = /^--! Hash: (.*)$/m.exec(await readFile(join(clone.root, lastTrading), "utf8")) ?? [];
    await clone.write(pending, committedText("create role fresh; select pg_reload_conf();", hash ?? ""));
    try {
      const before = await all();
      const verified = await clone.succeed("migrate", "verify", "--schema");
      expect(verified.stdout).toContain("the schema matches them");
      // The migrating role may not create roles, as the plan reports.
      expect(await clone.pgw("migrate", "plan")).toMatchObject({
        code: 1,
        stdout: expect.stringContaining("permission denied to create role") as string,
      });
      await clone.pgw("migrate", "lint");
      await clone.pgw("migrate", "status");
      await clone.succeed("preview");
      expect(await all()).toEqual(before);
    } finally {
      await rm(join(clone.root, pending));
    }
  });

  it("prints no password, and outputs only on request", async () => {
    const masked = await clone.succeed("outputs", "--json");
    const text = await clone.succeed("outputs");
    const secrets = await passwordsOf(clone);
    expect(new Set(secrets).size).toBe(6);
    for (const secret of secrets) {
      for (const { stdout, stderr } of [first, masked, text]) expect(stdout + stderr).not.toContain(secret);
    }
    expect(masked.stdout).toContain('"password": "[secret]"');
  });

  it("keeps an application's row over down and up", async () => {
    await clone.query("app", "insert into currencies (code, name, kind, decimals) values ('TST', 'Test', 'fiat', 2)");
    const stopped = await clone.succeed("down");
    expect(stopped.stdout).toMatch(/^stopped; the data is kept in /);
    expect((await clone.succeed("down")).stdout).toMatch(/^was not running; the data is kept in /);
    expect(await changesOf(clone, "up")).toEqual(["update server-postgres: pid", "update server-ready: trigger"]);
    expect(await clone.query("readonly", "select name from currencies where code = 'TST'")).toEqual([{ name: "Test" }]);
  });

  it("reports that every migration is applied", async () => {
    const { stdout } = await clone.succeed("migrate", "status", "--json");
    const { applied, pending, problems } = JSON.parse(stdout) as Record<string, unknown[]>;
    expect([applied?.length, pending, problems]).toEqual([7, [], []]);
    expect((await clone.succeed("migrate", "verify")).stdout).toBe(
      "trading of stack local: 7 applied migrations match their files\n",
    );
  });

  it("names test logins with the right passwords", async () => {
    const { stdout } = await clone.succeed("seed", "info");
    const [, user, password] = /^ {2}(trader1@example\.com) \/ (\S+)$/m.exec(stdout) ?? [];
    const [row] = await clone.query<{ hash: string }>(
      "app",
      `select replace(password_hash, '$2b$', '$2a$') as hash from users where email = '${user}'`,
    );
    // Runs in the server's own database, to be independent of the extensions in the kit's database.
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
