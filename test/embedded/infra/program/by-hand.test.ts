import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findEngine, isComplete } from "../../../../scripts/pulumi/find-engine.ts";
import type { Clone, Finished } from "../../clone.ts";
import { commit, makeShop, shopDrafts } from "./shop.ts";

describe("pulumi commands typed by hand", () => {
  let clone: Clone;
  const options = "--stack local --non-interactive --color never";

  /** Runs a command in a shell that evaluated `engine env`. The given variables were exported before. */
  const inShell = (command: string, exported = ""): Promise<Finished> =>
    clone.shell(
      `set -e; ${exported} variables="$(node_modules/.bin/node scripts/pgw.mjs engine env)"; eval "$variables"; ${command}`,
    );

  /** Runs a command as a user with their own CLI, plugins and passphrase, without `engine env`. */
  const plain = async (command: string): Promise<Finished> => {
    const found = await findEngine(clone.env);
    if (!isComplete(found)) throw new Error("the engine is missing");
    const path = [join(clone.root, "node_modules", ".bin"), dirname(found.engine.path)].join(":");
    const home = join(clone.root, ".pgroundwork", "home");
    return clone.shell(
      `set -e; export PATH="${path}:$PATH" PULUMI_CONFIG_PASSPHRASE=mine; [ ! -d "${home}" ] || export PULUMI_HOME="${home}"; ${command}`,
    );
  };

  beforeAll(async () => {
    clone = await makeShop({ git: true, plain: true });
    // If the official plugins are not available, the user has the fallback providers as plugins.
    await clone.succeed("engine", "install");
  });
  afterAll(() => clone?.remove());

  it("deploy a new stack and preview pending work with the user's own CLI and passphrase", async () => {
    const init = await plain("pulumi stack init local --no-select --non-interactive");
    expect(init.code, init.stderr).toBe(0);
    const preview = await plain(`pulumi preview ${options}`);
    expect(preview.code, preview.stdout + preview.stderr).toBe(0);
    expect(preview.stdout).toContain("pending migration: 000001-products.sql");
    expect(preview.stdout).toContain("pending migration: 000002-orders.sql");
    expect(preview.stdout).toContain("pending seed: reference/010-products.sql");
    expect(preview.stdout).toContain("pending seed: dev/010-orders.sql");
    const up = await plain(`pulumi up --yes ${options}`);
    expect(up.code, up.stdout + up.stderr).toBe(0);
  });

  it("leave a stack that pgw can continue with if the passphrase is exported", async () => {
    const refused = await clone.pgw("url");
    expect(refused.stderr).toContain("or export the passphrase as PULUMI_CONFIG_PASSPHRASE");
    const up = await plain("node scripts/pgw.mjs up");
    expect(up.stdout, up.stderr).toMatch(/^no changes \(\d+ resources\), in /);
    expect(await clone.query("app", "select name from product order by id")).toEqual([
      { name: "tea" },
      { name: "coffee" },
    ]);
    expect((await plain(`pulumi up --yes --expect-no-changes ${options}`)).code).toBe(0);
    await clone.useHosts();
  });

  it("use the local stack's passphrase after `engine env`, whatever was exported before", async () => {
    const up = await inShell(
      `pulumi up --yes --expect-no-changes ${options}`,
      "export PULUMI_CONFIG_PASSPHRASE=of-the-team;",
    );
    expect(up.code, up.stdout + up.stderr).toBe(0);
    expect(up.stderr).toContain("PULUMI_CONFIG_PASSPHRASE is unset in this shell");
    const preview = await inShell(`pulumi preview --expect-no-changes ${options}`);
    expect(preview.code, preview.stdout + preview.stderr).toBe(0);
    expect(preview.stdout).toMatch(/Resources:\n {4}\d+ unchanged\n/);
  });

  it("keep the local stack in the project's backend if another backend is exported for shared stacks", async () => {
    const states = join(clone.root, "..", "states");
    const exported = `mkdir -p ${states}; export PULUMI_BACKEND_URL=file://${states} PULUMI_CONFIG_PASSPHRASE=of-the-team;`;
    const pgw = (args: string) => clone.shell(`${exported} node_modules/.bin/node scripts/pgw.mjs ${args}`);
    const up = await pgw("up");
    expect(up.stdout, up.stderr).toMatch(/^no changes \(\d+ resources\), in /);
    expect((await pgw("url")).code).toBe(0);
    const typed = await inShell(`pulumi preview --expect-no-changes ${options}`, exported);
    expect(typed.code, typed.stdout + typed.stderr).toBe(0);
    const own = `file://${clone.root}/.pgroundwork (Pulumi.yaml)`;
    expect(typed.stderr).toContain(
      `PULUMI_BACKEND_URL applies only to other stacks. The state of the local stack is in ${own}.`,
    );

    await clone.write("Pulumi.team.yaml", "config:\n  pgroundwork:databases: [shop]\n");
    const where = `Its state is in file://${states} (PULUMI_BACKEND_URL).`;
    const notUp = await pgw("url --stack team");
    expect(notUp.stderr).toContain(`Stack "team" is not up.\n  Run \`npm run up -- --stack team\`. ${where}`);
    const preview = await pgw("preview --stack team");
    expect(preview.stderr).toContain(`Stack "team" has no state yet. ${where}`);
    const kept = await readdir(join(states, ".pulumi", "stacks", "pgroundwork"));
    expect(kept.filter((name) => name.endsWith(".json"))).toEqual(["team.json"]);
    const elsewhere = await clone.pgw("url", "--stack", "team");
    expect(elsewhere.stderr).toContain(
      `Stack "team" is not up.\n  Run \`npm run up -- --stack team\`. Its state is in ${own}.`,
    );
    const withoutPassphrase = await clone.pgw("preview", "--stack", "team");
    expect(withoutPassphrase.stderr).toContain('Stack "team" is shared, but has no passphrase of its own.');
    const wrong = await clone.shell(
      `${exported} PULUMI_CONFIG_PASSPHRASE=another node_modules/.bin/node scripts/pgw.mjs preview --stack team`,
    );
    expect(wrong.stderr).toContain(`does not match stack "team"`);
    expect(wrong.stderr).toContain(where);
    const stacks = JSON.parse((await pgw("stacks --json")).stdout) as { name: string; deployed: boolean }[];
    expect(stacks.filter(({ deployed }) => deployed).map(({ name }) => name)).toEqual(["local", "team"]);
    await clone.shell(`rm -r Pulumi.team.yaml ${states}`);
  });

  it("refuse to deploy a shared stack with the local stack's passphrase, as pgw does", async () => {
    await clone.write("Pulumi.ci.yaml", "config:\n  pgroundwork:databases: [shop]\n");
    const pgw = await inShell("node scripts/pgw.mjs preview --stack ci");
    expect([pgw.code, pgw.stderr]).toEqual([
      2,
      expect.stringContaining('Stack "ci" is shared, but has no passphrase of its own.'),
    ]);
    const typed = await inShell(
      "pulumi stack init ci --no-select --non-interactive; pulumi preview --stack ci --non-interactive --color never",
    );
    expect(typed.code).not.toBe(0);
    expect(typed.stdout + typed.stderr).toContain('eval "$(npm run -s pgw -- engine env --stack ci)"');
    const removed = await inShell("pulumi stack rm ci --yes --non-interactive");
    expect(removed.code, removed.stderr).toBe(0);
  });

  it("name the migrations that were added", async () => {
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

  it("leave only the added migrations in the work tree", async () => {
    expect((await clone.shell("git status --porcelain")).stdout).toBe(
      "?? migrations/shop/committed/000003-notes.sql\n?? migrations/shop/committed/000004.sql\n",
    );
  });
});
