import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../../scripts/connection/client.ts";
import { type Clone, makeClone } from "../../../clone.ts";
import { changesOf } from "../../../infra/program/changes.ts";
import { shopSettings } from "../../../infra/program/shop.ts";

/** A program that uses the functions of the new databases' folders. */
const usesData = `import { createPool } from "pgroundwork";
import { kyselyOn } from "pgroundwork/kysely";
import { deleteIdempotencyKeys, runOnce } from "./migrations/store/data/idempotency-keys.ts";
import type { DB as Store } from "./migrations/store/types.ts";
import { readServerTime } from "./migrations/shop/data/server-time.ts";
import type { DB as Shop } from "./migrations/shop/types.ts";

await using pool = createPool();
const request = { operation: "place order", key: "k1" };
let runs = 0;
const place = (how: { operation: string; key: string }) =>
  runOnce(pool, how, async (db) => {
    runs += 1;
    const number = runs;
    // The transaction has the key, and the other one waits for it.
    await db.selectFrom("idempotency_keys").selectAll().execute();
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (number === 1) throw new Error("refused");
    return { number };
  });
const failed = await place(request).catch((error: Error) => error.message);
const both = await Promise.all([place(request), place(request)]);
const results = [...both, await place(request)];
const otherOperation = await place({ ...request, operation: "cancel order" });
const empty = { operation: "nothing", key: "k1" };
const nothing = async () => {
  runs += 1;
  return null;
};
const none = [await runOnce(pool, empty, nothing), await runOnce(pool, empty, nothing)];
const store = kyselyOn<Store>(pool);
const deleted = [
  await deleteIdempotencyKeys(store, new Date(Date.now() - 3_600_000).toISOString()),
  await deleteIdempotencyKeys(store, new Date(Date.now() + 3_600_000).toISOString()),
];
const time = await readServerTime(kyselyOn<Shop>(pool));
process.stdout.write(JSON.stringify({ time, failed, results, otherOperation, nothing: none, runs, deleted }));
`;

describe("database new", () => {
  let clone: Clone;
  const own = { memory: 512, maxConnections: 30, postgresql: shopSettings.postgresql };

  beforeAll(async () => {
    clone = await makeClone();
    // Only the test's own database: the content of the examples does not matter here.
    await clone.configure({ ...own, databases: [] });
  });
  afterAll(() => clone?.remove());

  it("creates a folder, and names the next step", async () => {
    const { stdout } = await clone.succeed("database", "new", "shop");
    expect(stdout).toContain("created migrations/shop: database.json, .gmrc, current.sql, ");
    expect(stdout).toContain("Pulumi.local.yaml now has it in its databases.\n");
    expect(stdout).toContain("  npm run up ");
    expect(await readFile(join(clone.root, "Pulumi.local.yaml"), "utf8")).toMatch(/databases: *\[ *"?shop"? *\]/);
  });

  it("creates a database that comes up, and has nothing to do the second time", async () => {
    const { stdout } = await clone.succeed("up");
    expect(stdout).toContain("database     shop\n  migrations 0 applied\n");
    expect(await changesOf(clone, "up")).toEqual([]);
    const rows = await withClient(await clone.login("app", "shop"), async (client) => {
      return (await client.query("select current_database() as database, current_user as user")).rows;
    });
    expect(rows).toEqual([{ database: "shop", user: "shop_app" }]);
  });

  it("creates a folder that graphile-migrate's CLI can use", async () => {
    const { code, stdout, stderr } = await clone.shell(
      `cd migrations/shop && DATABASE_URL="$(cd ../.. && node_modules/.bin/node scripts/pgw.mjs url -r migrator)" ../../node_modules/.bin/graphile-migrate migrate`,
    );
    expect(code, stderr).toBe(0);
    expect(stdout + stderr).toContain("Up to date");
  });

  it("creates types and functions that pass all checks and work, also those that run a change once", async () => {
    await clone.succeed("database", "new", "store", "--idempotency");
    expect((await clone.succeed("up")).stdout).toContain("database     store\n  migrations 1 applied");
    for (const database of ["shop", "store"]) await clone.succeed("types", "--check", "-d", database);
    await clone.write("use.ts", usesData);
    await clone.write(
      "tsconfig.use.json",
      JSON.stringify({ extends: "./tsconfig.json", include: ["migrations/shop", "migrations/store", "use.ts"] }),
    );
    const tools = "node_modules/typescript-7/bin/tsc --singleThreaded --incremental false -p tsconfig.use.json";
    const checked = await clone.shell(
      `node_modules/.bin/node ${tools} && node_modules/.bin/biome ci migrations/shop migrations/store`,
    );
    expect(checked.code, checked.stdout + checked.stderr).toBe(0);
    await clone.write(
      "migrations/store/data/text.ts",
      'import { sql } from "kysely";\n\nexport const one = sql`select 1`;\n',
    );
    const refused = await clone.shell("node_modules/.bin/biome ci migrations/store; rm migrations/store/data/text.ts");
    expect(refused.stdout + refused.stderr).toContain("Entity functions build no SQL from text");
    const { stdout, stderr } = await clone.shell(
      `DATABASE_URL="$(node_modules/.bin/node scripts/pgw.mjs url -d store)" node_modules/.bin/node use.ts`,
    );
    expect(JSON.parse(stdout || stderr)).toEqual({
      time: expect.stringMatching(/^\d{4}-/),
      failed: "refused",
      // The failed one left its key free, and two at the same time have one result.
      results: [{ number: 2 }, { number: 2 }, { number: 2 }],
      otherOperation: { number: 3 },
      nothing: [null, null],
      runs: 4,
      deleted: [0, 3],
    });
  });

  it("leaves the .env of an application with its database, unless another one is named", async () => {
    const file = join(clone.root, ".env");
    const write = async (...options: string[]) => {
      const { code, stderr } = await clone.pgw("setup", "--write-env", ...options);
      return { code, stderr, database: /^DB_NAME="(.*)"$/m.exec(await readFile(file, "utf8"))?.[1] };
    };
    expect(await write()).toMatchObject({ code: 0, database: "shop" });
    // The first one by name.
    await clone.succeed("database", "new", "depot");
    expect(await write("--force")).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`wrote ${file}: shop_app in the database shop\n`),
      database: "shop",
    });
    expect(await write("--force", "-d", "depot")).toMatchObject({ code: 0, database: "depot" });
    await writeFile(file, "DATABASE_URL=postgresql://me@127.0.0.1:5999/elsewhere\n");
    const { code, stderr } = await write("--force");
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining(
        `error: ${file} connects to the database "elsewhere", which stack "local" does not have. It was not changed.\n`,
      ),
    ]);
    expect(stderr).toContain("\n    npm run db:setup -- --write-env --force -d shop\n");
    expect((await clone.succeed("up")).stderr).toContain("\n    npm run db:setup -- --write-env --force -d NAME\n");
  });

  it("prints JSON with --json, and leaves the settings alone with --no-settings", async () => {
    const { stdout } = await clone.succeed("database", "new", "other", "--no-settings", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      database: "other",
      files: expect.arrayContaining(["migrations/other/database.json"]),
    });
    expect(await readFile(join(clone.root, "Pulumi.local.yaml"), "utf8")).not.toContain("other");
  });

  it("refuses an invalid name and a taken one, and creates nothing", async () => {
    const before = await readdir(join(clone.root, "migrations"));
    const wrong = await clone.pgw("database", "new", "My-Shop");
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      'error: "My-Shop" cannot be a database\'s name.\n  Expected: a letter, then letters, digits and _, lower case, 48 characters at most.\n',
    ]);
    const taken = await clone.pgw("database", "new", "shop");
    expect([taken.code, taken.stderr]).toEqual([
      3,
      `error: ${join(clone.root, "migrations", "shop")} already exists.\n  Choose another name. To use the existing folder, add shop to pgroundwork:databases.\n`,
    ]);
    expect(await readdir(join(clone.root, "migrations"))).toEqual(before);
  });
});
