import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectionUrl } from "../../../../../scripts/connection/connection.ts";
import type { StackEntry } from "../../../../../scripts/stack/stacks.ts";
import type { Clone, Finished } from "../../../clone.ts";
import { changesOf } from "../../../infra/program/changes.ts";
import { commit, makeShop, shopDrafts } from "../../../infra/program/shop.ts";
import { expectInstead } from "./backup/describe-instead.ts";

let clone: Clone;

beforeAll(async () => {
  clone = await makeShop({ git: true });
  await clone.succeed("up");
});
afterAll(() => clone?.remove());

/** Runs `pgw` with additional variables in its environment. */
const pgwWith = (variables: string, command: string): Promise<Finished> =>
  clone.shell(`${variables} node_modules/.bin/node scripts/pgw.mjs ${command}`);

describe("setup", () => {
  it("writes a .env for the application on request, for its owner only and ignored by Git", async () => {
    const { stdout, stderr } = await clone.succeed("setup", "--write-env");
    expect(stdout).toContain("npm run pgw -- seed info");
    const path = join(clone.root, ".env");
    expect(stderr).toContain(`wrote ${path}: shop_app in the database shop\n`);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await clone.shell("git status --porcelain")).stdout).toBe("");
    const read = await clone.shell('. ./.env && printf "%s" "$DATABASE_URL"');
    expect(read.stdout === connectionUrl(await clone.login("app"))).toBe(true);
    expect(await readFile(path, "utf8")).toContain('DB_NAME="shop"\n');
  });

  it("keeps an existing .env", async () => {
    await writeFile(join(clone.root, ".env"), "MINE=1\n");
    const { code, stdout, stderr } = await clone.pgw("setup", "--write-env");
    // `up` did not run either.
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toContain(`error: ${join(clone.root, ".env")} already exists.\n  Add --force to replace it.\n`);
    expect(await readFile(join(clone.root, ".env"), "utf8")).toBe("MINE=1\n");
    await clone.succeed("setup", "--write-env", "--force");
    expect(await readFile(join(clone.root, ".env"), "utf8")).toContain("DATABASE_URL=");
  });
});

describe("a connection that does not lead to the stack", () => {
  const env = () => join(clone.root, ".env");
  const line = "\n    npm run db:setup -- --write-env --force\n";

  it("is reported by up for an outdated port, password, database or CA in .env, with the right line", async () => {
    const fresh = await readFile(env(), "utf8");
    expect((await clone.succeed("up")).stderr).not.toContain(".env");
    const { port, password = "" } = await clone.login("app");
    const stale = fresh
      .replaceAll(String(port), "5999")
      .replaceAll(password, "an-older-one")
      .replace('DB_NAME="shop"', 'DB_NAME="store"')
      .replace('DB_SSLMODE="disable"', 'DB_SSLMODE="verify-full"\nDB_SSLROOTCERT="/other/ca-dev.pem"');
    await writeFile(env(), `MINE=1\n${stale}`);
    const { stderr } = await clone.succeed("up");
    expect(stderr).toContain(`warning: ${env()} does not connect to stack "local":\n`);
    expect(stderr).toContain(`DATABASE_URL: port 5999, the stack's is ${port}\n`);
    expect(stderr).toContain("DATABASE_URL: the password of shop_app differs from the stack's\n");
    expect(stderr).toContain('DB_*: database "store", the stack has shop\n');
    expect(stderr).toContain("DB_*: sslmode verify-full, the stack's is disable\n");
    expect(stderr).toContain(line);
    expect(stderr).not.toContain("an-older-one");
    await clone.shell(line.trim());
    const corrected = await readFile(env(), "utf8");
    expect(corrected).toContain("MINE=1\n");
    expect(corrected.replace("MINE=1\n", "")).toBe(fresh);
    expect((await clone.succeed("up")).stderr).not.toContain(".env");
  });

  it("is not reported for a .env of another stack, or without a connection", async () => {
    const before = await readFile(env(), "utf8");
    await writeFile(env(), before.replace("stack local", "stack dev").replaceAll("127.0.0.1", "db.example.com"));
    expect((await clone.succeed("up")).stderr).not.toContain(".env");
    await writeFile(env(), before);
  });

  it("is reported for DATABASE_URL by up, and by every error of a command that used it", async () => {
    const elsewhere = { DATABASE_URL: "postgresql://me:secret@127.0.0.1:5999/shop" };
    const up = await clone.pgwWith(elsewhere, "up");
    expect(up.stderr).toContain(
      'warning: DATABASE_URL in the environment connects to me@127.0.0.1:5999/shop, not to stack "local" (port 5999,',
    );
    const status = await clone.pgwWith(elsewhere, "migrate", "status");
    expect([status.code, status.stderr]).toEqual([
      1,
      expect.stringContaining(
        "\n  DATABASE_URL in the environment selected this database instead of a stack. Unset it, or name the stack: npm run pgw -- migrate status --stack local\n",
      ),
    ]);
    const parts = await clone.pgwWith(
      { DB_HOST: "127.0.0.1", DB_PORT: "5999", DB_NAME: "shop", DB_USER: "me" },
      "migrate",
      "verify",
    );
    expect(parts.stderr).toContain("DB_* in the environment selected this database");
    await mkdir(join(clone.root, "migrations", "second"));
    await writeFile(join(clone.root, "migrations", "second", "database.json"), "{}");
    for (const args of [
      ["migrate", "status"],
      ["migrate", "down"],
      ["seed", "info"],
    ]) {
      const noFolder = await clone.pgwWith({ DATABASE_URL: "postgresql://me@127.0.0.1:5999/other" }, ...args);
      expect([noFolder.code, noFolder.stderr]).toEqual([
        2,
        expect.stringMatching(
          /no folder for the database "other" .*\n.*\n {2}DATABASE_URL in the environment selected/,
        ),
      ]);
    }
    await rm(join(clone.root, "migrations", "second"), { recursive: true });
    const named = await clone.pgwWith(elsewhere, "migrate", "status", "--stack", "local");
    expect([named.code, named.stderr]).toEqual([0, ""]);
    const own = `DATABASE_URL="$(node_modules/.bin/node scripts/pgw.mjs url)"`;
    expect((await pgwWith(own, "up")).stderr).not.toContain("DATABASE_URL");
  });
});

describe("data commands on a stack", () => {
  it("apply a new migration without up, and the next up finds nothing left", async () => {
    const before = await clone.pgw("status");
    expect([before.code, before.stderr]).toEqual([0, ""]);
    await commit(clone, [...shopDrafts, { name: "notes", body: "alter table product add column note text;" }]);
    const pending = await clone.pgw("status", "--json");
    expect(pending.code).toBe(4);
    const { host, port, password = "" } = await clone.login("app");
    expect(JSON.parse(pending.stdout)).toMatchObject({
      server: {
        state: "running",
        startedAt: expect.stringMatching(/^2\d{3}-/),
        version: expect.stringMatching(/^17\./),
        host,
        port,
      },
      databases: [
        {
          name: "shop",
          roles: { app: "shop_app", migrator: "shop_migrator", readonly: "shop_readonly" },
          migrations: { known: true, applied: 2, pending: ["000003-notes.sql"], problems: [] },
          seeds: { known: true, pending: [] },
        },
      ],
      notCreated: [],
      backups: null,
    });
    expect(pending.stdout + before.stdout).not.toContain(password);
    const { stdout, stderr } = await clone.succeed("migrate", "up");
    expect(stdout).toBe("shop of stack local: 1 applied\n");
    expect(stderr).toMatch(/^applied 000003-notes\.sql in \d+ ms$/m);
    expect((await clone.succeed("migrate", "up")).stdout).toBe("shop of stack local: nothing pending\n");
    // The stack's state records it, which is no change; no migration runs.
    const up = await clone.succeed("up");
    expect(up.stdout).toMatch(/^no changes /);
    expect(up.stdout).toContain("migrations 3 applied, last 000003-notes.sql");
    expect(up.stderr).not.toContain("applied 000");
  });

  it("apply changed seeds, and say how many", async () => {
    await clone.write(
      "migrations/shop/seeds/dev/020-more.sql",
      "insert into product values (20, 'mate', 5) on conflict do nothing;\n",
    );
    expect((await clone.pgw("seed", "info", "--json")).code).toBe(4);
    expect((await clone.pgw("status")).stdout).toContain("  seeds      1 pending: dev/020-more.sql\n");
    expect((await clone.succeed("seed", "apply")).stdout).toBe("shop of stack local: 1 applied, 2 unchanged\n");
    expect((await clone.succeed("seed", "info")).stdout).toMatch(/^dev +020-more\.sql +current/m);
  });

  it("clear seeds after a confirmation, and the next up applies them again", async () => {
    await clone.query("app", "insert into product values (99, 'mine', 1)");
    const planned = await clone.pgw("seed", "clear", "--dry-run");
    expect([planned.code, planned.stdout.split("\n")[0]]).toEqual([
      4,
      "shop of stack local: 5 rows of 3 seed files would be deleted",
    ]);
    const unconfirmed = await clone.pgw("seed", "clear", "--json");
    expect([unconfirmed.code, JSON.parse(unconfirmed.stdout)]).toEqual([
      3,
      { error: { message: "Clearing seeds needs a confirmation. Nothing was changed.", hint: "Add --yes.", code: 3 } },
    ]);
    expect(unconfirmed.stderr).toContain(
      "error: Clearing seeds needs a confirmation. Nothing was changed.\n  Add --yes.\n",
    );
    expect((await clone.succeed("seed", "clear", "--yes")).stdout).toContain("5 rows of 3 seed files deleted");
    expect(await clone.query("app", "select id from product")).toEqual([{ id: 99 }]);
    expect((await clone.succeed("up")).stderr).toContain("applied reference/010-products.sql");
    expect(await clone.query("app", "select count(*)::int as products from product")).toEqual([{ products: 4 }]);
  });

  it("refuse an unknown database, role or set, and list those that exist", async () => {
    const messages = {
      "url --database shpo": 'Stack "local" has no database "shpo". It has: shop.',
      "url --role owner":
        'The role "owner" does not exist. Roles with a login: app, migrator, readonly, superuser, monitor, backup.',
      "seed apply --set demo": 'shop has no seed set "demo". It has: reference, dev.',
    };
    for (const [command, message] of Object.entries(messages)) {
      const { code, stderr } = await clone.pgw(...command.split(" "));
      expect([code, stderr.split("\n")[0]]).toEqual([2, `error: ${message}`]);
      if (command.startsWith("seed")) expect(stderr).toContain('to "seedSets" in migrations/shop/database.json.');
    }
  });
});

describe("data commands with a connection", () => {
  it("work on the database in DATABASE_URL, and say so", async () => {
    const url = connectionUrl(await clone.login("migrator"));
    const { code, stdout, stderr } = await clone.pgwWith({ DATABASE_URL: url }, "migrate", "status");
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^target: shop_migrator@127\.0\.0\.1:\d+\/shop$/m);
    expect(stdout).toMatch(/^shop_migrator@127\.0\.0\.1:\d+\/shop: 3 applied, 0 pending$/m);
  });

  it("work on the database in DB_*, and on --url with PGPASSWORD", async () => {
    const { host, port, user, password, database } = await clone.login("migrator");
    const own = { DB_HOST: host, DB_PORT: String(port), DB_USER: user, DB_NAME: database };
    const parts = { ...own, DB_SSLMODE: "disable", DB_PASSWORD: password ?? "" };
    expect((await clone.pgwWith(parts, "migrate", "verify")).code).toBe(0);
    const url = `postgresql://${user}@${host}:${port}/${database}?sslmode=disable`;
    expect((await clone.pgwWith({ PGPASSWORD: password ?? "" }, "migrate", "verify", "--url", url)).code).toBe(0);
  });

  it("say that they cannot tell if the role lacks the privilege", async () => {
    const url = connectionUrl(await clone.login("readonly"));
    const { code, stdout, stderr } = await clone.pgwWith({ DATABASE_URL: url }, "migrate", "status");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("Cannot read which migrations shop_readonly@");
  });
});

describe("the jobs of a database on a server without pg_cron", () => {
  const file = () => join(clone.root, "migrations/shop/database.json");
  const daily = { schedule: "0 3 * * *", command: "update product set price = price + 1 where id = 1" };
  let original: string;
  beforeAll(async () => {
    original = await readFile(file(), "utf8");
    const jobs = { dearer: daily, broken: { ...daily, command: "select 1 from missing" } };
    await writeFile(file(), JSON.stringify({ ...JSON.parse(original), jobs }));
  });
  afterAll(() => writeFile(file(), original));
  const list = async () => {
    const { code, stdout } = await clone.pgw("jobs", "list", "--json");
    return { code, jobs: JSON.parse(stdout).jobs.map((job: { name: string; state: string }) => [job.name, job.state]) };
  };
  const price = async () => (await clone.query("app", "select price::float from product where id = 1"))[0]?.price;

  it("are named by up with the command that runs them, and setup prints its line for cron", async () => {
    const { stdout, stderr } = await clone.succeed("setup");
    expect(stderr).toContain(
      "This server has no pg_cron: the jobs of shop run with `npm run pgw -- jobs run --due`, for which",
    );
    expect(stderr).not.toContain("need attention");
    expect(stdout).toContain("scripts/pgw.mjs jobs run --due --stack local");
    expect(await list()).toEqual({
      code: 0,
      jobs: [
        ["dearer", "never run"],
        ["broken", "never run"],
      ],
    });
    const { code, stdout: status } = await clone.pgw("status");
    expect(status).toContain("\njobs         2 declared, which run with: npm run pgw -- jobs run --due\n");
    expect(code).toBe(0);
  });

  it("run when they are due, and each failure is in the error, in list, in status and in up", async () => {
    const before = await price();
    const { code, stdout, stderr } = await clone.pgw("jobs", "run", "--due");
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^shop: dearer: done in \d+\.\d s\n$/)]);
    const error = 'relation "missing" does not exist (SQLSTATE 42P01)';
    expect(stderr).toContain(`error: 1 of 2 jobs failed:\n- shop: broken: ${error}\n`);
    expect((await clone.succeed("jobs", "run", "--due")).stdout).toMatch(/^Nothing is due before \S+T03:00:00Z\.\n$/);
    expect(await price()).toBe(Number(before) + 1);
    expect(await list()).toEqual({
      code: 5,
      jobs: [
        ["dearer", "succeeded"],
        ["broken", "failed"],
      ],
    });
    const { stdout: listed } = await clone.pgw("jobs", "list");
    expect(listed).toMatch(/^shop +broken +0 3 \* \* \* +failed +\S+Z +\S+T03:00:00Z$/m);
    expect(listed).toContain(`\nshop: broken: ${error}\n`);
    expect((await clone.pgw("status")).code).toBe(5);
    expect((await clone.pgw("health", "check")).stdout).toMatch(
      /^jobs +warning +2 declared, .*; shop: broken \(failed\)/m,
    );
    const warning = `warning: Maintenance jobs need attention:\n  shop: broken: its last run failed: ${error}\n`;
    expect((await clone.succeed("up")).stderr).toContain(warning);
  });

  it("run by name at any time, and an unknown name lists those that exist", async () => {
    const before = await price();
    expect((await clone.succeed("jobs", "run", "dearer")).stdout).toContain("shop: dearer: done in");
    expect(await price()).toBe(Number(before) + 1);
    const unknown = await clone.pgw("jobs", "run", "tidy");
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      expect.stringContaining('No database has a job "tidy".\n  There are: shop: dearer, shop: broken.'),
    ]);
    expect((await clone.pgw("jobs", "run")).code).toBe(2);
  });

  it("run with a URL, too", async () => {
    const url = connectionUrl(await clone.login("migrator"));
    const { stdout } = await clone.pgwWith({ DATABASE_URL: url }, "jobs", "run", "dearer");
    expect(stdout).toContain("shop: dearer: done in");
    const listed = await clone.pgwWith({ DATABASE_URL: url }, "jobs", "list");
    expect(listed.stdout).toMatch(/^shop +dearer .* succeeded /m);
  });
});

describe("psql", () => {
  it("starts the client on PATH with the password in its environment, not in its arguments", async () => {
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

  it("uses the environment without --role, even if no folder fits, unless a stack is named", async () => {
    const connection = { ...(await clone.login("readonly")), database: "postgres" };
    const variables = `DATABASE_URL='${connectionUrl(connection)}' PATH="$PWD/.git:$PATH"`;
    const named = await pgwWith(variables, "psql --database postgres");
    expect(named.stdout.split("\n")[1], named.stderr).toBe("shop_readonly");
    expect(named.stderr).toMatch(/^target: shop_readonly@127\.0\.0\.1:\d+\/postgres$/m);
    const stack = await pgwWith(variables, "psql --stack local --role migrator");
    expect(stack.stdout.split("\n")[1], stack.stderr).toBe("shop_migrator");
  });

  it("says how to start a stopped server, which psql cannot tell, and where its own options belong", async () => {
    await clone.succeed("down");
    await writeFile(join(clone.root, ".git", "psql"), "#!/bin/sh\nexit 2\n");
    const { code, stderr } = await pgwWith('PATH="$PWD/.git:$PATH"', "psql");
    const elsewhere = await pgwWith('PATH="$PWD/.git:$PATH" DATABASE_URL=postgresql://me@127.0.0.1:5999/shop', "psql");
    expect([elsewhere.code, elsewhere.stderr]).toEqual([
      1,
      expect.stringContaining("DATABASE_URL in the environment selected this database instead of a stack."),
    ]);
    await clone.succeed("up");
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/is stopped: no server runs on its data\.\n.*npm run up/),
    ]);
    const misplaced = await clone.pgw("psql", "-c", "select 1");
    expect([misplaced.code, misplaced.stderr]).toEqual([2, expect.stringContaining("psql -- -c")]);
  });
});

describe("logs and stacks", () => {
  it("logs shows the last lines of the server's log", async () => {
    const { stdout } = await clone.succeed("logs", "--lines", "2");
    expect(stdout.trimEnd().split("\n")).toHaveLength(2);
  });

  it("logs -f ends when its reader is gone", async () => {
    const piped = await clone.shell("set -o pipefail; node_modules/.bin/node scripts/pgw.mjs logs -f | true");
    expect(piped).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("stacks lists the stack with its state", async () => {
    const stacks = JSON.parse((await clone.succeed("stacks", "--json")).stdout) as StackEntry[];
    expect(stacks.find(({ name }) => name === "local")).toMatchObject({ name: "local", deployed: true });
  });
});

describe("backups on a machine without Docker and without a pg_dump of the server's version", () => {
  const products = "select name from product order by id";
  const backup = async () => {
    const { stdout, stderr } = await clone.succeed("backup", "dump", "--json");
    expect(stderr).toContain(
      "no pg_dump of version 17 was found: this is a physical archive of the whole server instead\n",
    );
    return JSON.parse(stdout) as { folder: string; archive: { id: string; restore: string } };
  };
  beforeAll(() => {
    clone.env.DOCKER_HOST = "unix:///nonexistent";
    clone.env.PATH = `${join(clone.root, "node_modules", ".bin")}:/usr/sbin:/usr/bin:/sbin:/bin`;
  });

  it("db:backup makes a physical archive, and db:restore without a name restores it in place, with an undo", async () => {
    const before = await clone.query<{ name: string }>("app", products);
    const status = await clone.shell("git status --porcelain");
    const { folder, archive } = await backup();
    expect(folder).toBe(join(clone.root, ".pgroundwork", "dumps", "physical"));
    expect(archive.restore).toBe(`npm run db:restore -- ${archive.id}`);
    expect(await clone.shell("git status --porcelain")).toEqual(status);
    const { stdout } = await clone.succeed("backup", "list", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      checksumsCompared: false,
      archives: [{ id: archive.id, state: "complete", source: "local" }],
    });
    for (const name of ["shop", "local"]) {
      const { stderr } = await clone.pgw("destroy", "--erase", name);
      expect(stderr).toMatch(new RegExp(`last backup: \\S+Z \\(physical archive ${archive.id} in ${folder}\\)\n`));
    }
    clone.env.BACKUP_DIR = join(clone.root, "package.json");
    const unreadable = await clone.pgw("destroy", "--erase", "shop");
    delete clone.env.BACKUP_DIR;
    expect(unreadable.stderr).toMatch(/last backup: not known in BACKUP_DIR \(ENOTDIR.*package\.json'\)\n/);
    await clone.query("app", "insert into product (id, name, price) values (9901, 'after', 1)");

    const unconfirmed = await clone.pgw("dumps", "load");
    expect([unconfirmed.code, unconfirmed.stdout]).toEqual([3, ""]);
    const restored = await clone.succeed("dumps", "load", "--yes");
    expect(restored.stdout).toContain(`stack "local" is restored from ${archive.id}; it was stopped for `);
    expect(restored.stdout).toMatch(/a server started on it and read all [\d,]+ rows\n/);
    expect(await clone.query("app", products)).toEqual(before);
    expect(await changesOf(clone, "preview")).toEqual([]);
    expect((await clone.succeed("up")).stderr).toMatch(
      /\nThe cluster from before the restore of \S+Z \([\d.]+ MB, .* ago\) is kept in \S+\. To remove it: npm run pgw -- backup restore --finish\n/,
    );

    const undone = await clone.succeed("backup", "restore", "--undo", "--yes");
    expect(undone.stdout).toContain('stack "local" is as it was before the restore');
    expect(await clone.query("app", products)).toEqual([...before, { name: "after" }]);
    await clone.succeed("backup", "restore", "--finish", "--yes");
    expect((await clone.outputs()).server).toMatchObject({ kind: "embedded" });
  });

  it("up completes an exchange of clusters in which a restore was killed", async () => {
    const { server } = await clone.outputs();
    if (server.kind !== "embedded") throw new Error("the server is not embedded");
    const data = server.dataDirectory;
    const before = await clone.query("app", products);
    await clone.succeed("down");
    const [incoming, outgoing] = [`${data}.restoring-20261130T120000Z`, `${data}.before-20261130T120000Z`];
    await clone.shell(`cp -a '${data}' '${incoming}'`);
    await writeFile(`${data}.exchange`, JSON.stringify({ incoming, outgoing }));
    await rename(data, outgoing);
    await clone.succeed("up");
    expect(await clone.query("app", products)).toEqual(before);
    expect((await clone.succeed("backup", "restore", "--finish", "--yes")).stdout).toBe(`removed ${outgoing}\n`);
  });

  it("a copy is restored to a folder, and targets that an embedded server does not have are wrong usage", async () => {
    const to = join(clone.root, "..", "restored");
    const { stdout } = await clone.succeed("backup", "restore", "--to", to);
    expect(stdout).toMatch(
      /compared: the checksum of the archive, system identifier \d+, 2 databases, \d migrations\n/,
    );
    expect((await clone.pgw("backup", "restore", "--to", to)).code).toBe(2);
    for (const target of ["--lsn 0/3000000", "--before-deploy last"]) {
      const { code, stderr } = await clone.pgw("backup", "restore", "--to", `${to}-2`, ...target.split(" "));
      expect([code, stderr]).toEqual([2, expect.stringContaining("only whole archives can be restored")]);
    }
    const { code, stderr } = await clone.pgw("backup", "dump", "--schema-only");
    expect([code, stderr]).toEqual([1, expect.stringContaining("no pg_dump of version 17 was found")]);
    await expectInstead(clone, "embedded");
  });
});
