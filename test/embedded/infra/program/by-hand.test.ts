import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clone, Finished } from "../../clone.ts";
import { commit, makeShop, shopDrafts } from "./shop.ts";

describe("pulumi typed by hand, in a shell that took `engine env`", () => {
  let clone: Clone;
  const inShell = (command: string): Promise<Finished> =>
    clone.shell(
      `set -e; variables="$(node_modules/.bin/node scripts/pgw.mjs engine env)"; eval "$variables"; ${command}`,
    );

  beforeAll(async () => {
    clone = await makeShop();
  });
  afterAll(() => clone?.remove());

  it("brings a stack up from nothing, with the names of what is pending in its preview", async () => {
    const init = await inShell("pulumi stack init local --no-select --non-interactive");
    expect(init.code, init.stderr).toBe(0);
    const preview = await inShell("pulumi preview --stack local --non-interactive --color never");
    expect(preview.code, preview.stdout + preview.stderr).toBe(0);
    expect(preview.stdout).toContain("pending migration: 000001-products.sql");
    expect(preview.stdout).toContain("pending migration: 000002-orders.sql");
    expect(preview.stdout).toContain("pending seed: reference/010-products.sql");
    expect(preview.stdout).toContain("pending seed: dev/010-orders.sql");
    const up = await inShell("pulumi up --yes --stack local --non-interactive --color never");
    expect(up.code, up.stdout + up.stderr).toBe(0);
    expect(await clone.query("app", "select name from product order by id")).toEqual([
      { name: "tea" },
      { name: "coffee" },
    ]);
  });

  it("finds nothing to do where `pgw` would not either", async () => {
    expect((await clone.succeed("up")).stdout).toMatch(/^no changes \(\d+ resources\), in /);
    const up = await inShell("pulumi up --yes --stack local --non-interactive --color never --expect-no-changes");
    expect(up.code, up.stdout + up.stderr).toBe(0);
    const preview = await inShell("pulumi preview --stack local --non-interactive --color never --expect-no-changes");
    expect(preview.code, preview.stdout + preview.stderr).toBe(0);
    expect(preview.stdout).toMatch(/Resources:\n {4}\d+ unchanged\n/);
  });

  it("names the files that were added since", async () => {
    await commit(clone, [
      ...shopDrafts,
      { name: "notes", body: "alter table product add column note text;" },
      { name: "", body: "create table shelf (id int primary key);" },
    ]);
    const preview = await inShell("pulumi preview --diff --stack local --non-interactive --color never");
    expect(preview.stdout, preview.stderr).toContain("000003-notes.sql");
    expect(preview.stdout).toContain("000004.sql");
    expect(preview.stdout).not.toContain("__asked");
    const up = await inShell("pulumi up --yes --skip-preview --stack local --non-interactive --color never");
    expect(up.code, up.stdout + up.stderr).toBe(0);
    expect(up.stdout).toMatch(/Resources:\n {4}~ 1 updated\n {4}\d+ unchanged\n/);
    const refresh = await inShell(
      "pulumi refresh --yes --skip-preview --stack local --non-interactive --color never --expect-no-changes",
    );
    expect(refresh.code, refresh.stdout + refresh.stderr).toBe(0);
  });

  it("leaves the work tree with the files alone that were added", async () => {
    expect((await clone.shell("git status --porcelain")).stdout).toBe(
      "?? migrations/shop/committed/000003-notes.sql\n?? migrations/shop/committed/000004.sql\n",
    );
  });
});
