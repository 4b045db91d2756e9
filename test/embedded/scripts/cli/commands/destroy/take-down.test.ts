import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../../../../../scripts/connection/client.ts";
import { ensureEngine } from "../../../../../../scripts/pulumi/ensure-engine.ts";
import { findPostmaster } from "../../../../../../scripts/server/postmaster.ts";
import { runOperation } from "../../../../../../scripts/stack/operation.ts";
import type { Clone } from "../../../../clone.ts";
import { changesOf } from "../../../../infra/program/changes.ts";
import { revealedOutputs } from "../../../../infra/program/passwords.ts";
import { holdMigrations, makeShop, shopSettings } from "../../../../infra/program/shop.ts";
import { ask } from "../../../../terminal.ts";

const products = "select name from product order by id";
const seeded = [{ name: "tea" }, { name: "coffee" }];
const notUp = 'error: Stack "local" is not up.\n  Run `npm run up`.\n';

describe("pgw destroy", () => {
  let clone: Clone;
  let data: string;

  beforeAll(async () => {
    clone = await makeShop();
    await clone.succeed("up");
    data = (await revealedOutputs(clone)).server.dataDirectory;
  });
  afterAll(() => clone?.remove());

  it("lists what is removed and what stays, and needs --yes without a terminal", async () => {
    const { code, stdout, stderr } = await clone.pgw("destroy");
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(
      /^Stack "local" will be destroyed:\n {2}remove {2}its \d+ resources in the state, and every generated password\n {2}stop {4}the server on port \d+\n/m,
    );
    expect(stderr).toContain(`  keep    the data in ${data}: shop\n`);
    expect(stderr).toContain(
      'error: Destroying stack "local" needs a confirmation. Nothing was changed.\n  Add --yes.\n',
    );
    expect(await clone.query("readonly", products)).toEqual(seeded);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("stops the server, keeps the data and prints its location", async () => {
    const login = await clone.login("app");
    const { stdout } = await clone.succeed("destroy", "--yes");
    expect(stdout).toBe(
      `stack "local" is destroyed, its server is stopped\nThe data is kept in ${data}. \`npm run up\` adopts it and sets new passwords.\n`,
    );
    expect(await findPostmaster(data)).toBeUndefined();
    for (const command of [["outputs"], ["url"], ["psql"], ["migrate", "status"], ["seed", "info"], ["down"], ["logs"]])
      expect((await clone.pgw(...command)).stderr, command.join(" ")).toBe(notUp);
    expect((await clone.succeed("destroy", "--yes")).stdout).toBe(
      `Stack "local" is not up: there is nothing to destroy.\nThe data is kept in ${data}. \`npm run up\` adopts it and sets new passwords.\n`,
    );

    await clone.succeed("up");
    expect(await clone.query("readonly", products)).toEqual(seeded);
    await expect(withClient(login, async () => undefined)).rejects.toThrow(/password authentication failed/);
    expect(await changesOf(clone, "up")).toEqual([]);
    expect(await changesOf(clone, "refresh")).toEqual([]);
  });

  it("checks again while the stack is locked, and changes nothing if that fails", async () => {
    const engine = await ensureEngine({ root: clone.root, env: clone.env, onProgress: () => undefined });
    const inside: string[] = [];
    const check = async () => {
      inside.push((await clone.pgw("up")).stderr);
      throw new Error("not like this");
    };
    const stack = { engine, root: clone.root, name: "local" };
    await expect(runOperation(stack, "destroy", { runId: randomUUID(), check })).rejects.toThrow("not like this");
    expect(inside).toEqual([expect.stringContaining('Another run works on stack "local"')]);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("refuses if the server was stopped or the stack protected after the list was shown", async () => {
    const stopped = await ask(clone, ["destroy"], "Type local to continue:");
    await clone.succeed("down");
    const refusedStopped = await stopped.answer("local");
    expect(refusedStopped.code, refusedStopped.output).toBe(3);
    expect(refusedStopped.output).toMatch(/^ {2}gone {2}the server on port \d+ \(pid \d+\)\n/m);
    await clone.succeed("up");

    const secured = await ask(clone, ["destroy"], "Type local to continue:");
    await clone.configure({ ...shopSettings, protected: true });
    const refusedSecured = await secured.answer("local");
    expect(refusedSecured.code, refusedSecured.output).toBe(3);
    expect(refusedSecured.output).toContain('Stack "local" is protected and cannot be destroyed.');
    await clone.configure(shopSettings);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("works if the server is down", async () => {
    await clone.succeed("down");
    const { stdout } = await clone.succeed("destroy", "--yes", "--json");
    expect(JSON.parse(stdout)).toEqual({
      stack: "local",
      resources: expect.any(Number),
      stopped: false,
      dataDirectory: data,
    });
    await clone.succeed("up");
    expect(await clone.query("readonly", products)).toEqual(seeded);
  });

  it("works if a run was interrupted at one of the resources", async () => {
    const file = join(clone.root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork", "local.json");
    const state = JSON.parse(await readFile(file, "utf8"));
    const { resources } = state.checkpoint.latest;
    const seeds = resources.find(({ urn }: { urn: string }) => urn.endsWith("::shop-seeds-dev"));
    state.checkpoint.latest.resources = resources.filter(({ urn }: { urn: string }) => urn !== seeds.urn);
    state.checkpoint.latest.pending_operations = [{ type: "creating", resource: { ...seeds, id: undefined } }];
    await writeFile(file, JSON.stringify(state));
    await clone.succeed("destroy", "--yes");
    expect(await findPostmaster(data)).toBeUndefined();
    await clone.succeed("up");
    expect(await clone.query("readonly", products)).toEqual(seeded);
    expect((await clone.succeed("up")).stderr).not.toContain("interrupted");
  });

  it("refuses with a hint if the state cannot be read, and changes nothing", async () => {
    const file = join(clone.root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork", "local.json");
    const state = await readFile(file);
    await writeFile(file, state.subarray(0, 1_000));
    const { code, stderr } = await clone.pgw("destroy", "--yes");
    expect(code).toBe(1);
    expect(stderr).toContain(`The stack's state is damaged: ${file}. Restore ${file}.bak`);
    await writeFile(file, state);
    expect(await clone.query("readonly", products)).toEqual(seeded);
  });

  it("reports missing data, and takes down the rest", async () => {
    await clone.succeed("down");
    await rename(data, `${data}.elsewhere`);
    const { stdout } = await clone.succeed("destroy", "--yes");
    expect(stdout).toBe(`stack "local" is destroyed\nThere is no data in ${data}.\n`);
    await rename(`${data}.elsewhere`, data);
    await clone.succeed("up");
    expect(await clone.query("readonly", products)).toEqual(seeded);
  });

  it("keeps a separate data directory, which `up` finds without the setting, too", async () => {
    const elsewhere = join(clone.dataHome, "moved");
    await clone.succeed("down");
    await rename(data, elsewhere);
    await clone.configure({ ...shopSettings, dataDirectory: elsewhere });
    await clone.succeed("up");
    await clone.configure(shopSettings);
    expect((await clone.succeed("destroy", "--yes")).stdout).toContain(
      `The data is kept in ${elsewhere}. \`npm run up\` adopts it`,
    );
    await clone.succeed("up");
    expect(await clone.query("readonly", products)).toEqual(seeded);
  });
});

describe("pgw destroy before, during or after a first up", () => {
  let clone: Clone;

  beforeEach(async () => {
    clone = await makeShop();
  });
  afterEach(() => clone?.remove());

  it("has nothing to do if the stack was never up, and refuses an unknown stack as wrong usage", async () => {
    expect((await clone.succeed("destroy", "--yes")).stdout).toBe(
      'Stack "local" is not up: there is nothing to destroy.\n',
    );
    expect(existsSync(join(clone.root, "Pulumi.local.yaml"))).toBe(true);
    const { code, stderr } = await clone.pgw("destroy", "--stack", "loacl", "--yes");
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: The stack "loacl" does not exist\. Existing stacks: .*\blocal\b/m);
  });

  it("refuses while up works on the stack, and afterwards if the stack has more than was shown", async () => {
    const migrations = await holdMigrations(clone);
    const up = clone.pgw("up");
    await migrations.begun();
    const status = await clone.pgw("status");
    expect([status.code, status.stderr]).toEqual([
      1,
      expect.stringMatching(
        /^error: Stack "local" is not up\.\n {2}No `up` has completed yet, but \d+ resources were created\. Another run works on it: \S+@\S+ \(pid \d+\) since \S+\. Wait/m,
      ),
    ]);
    // Otherwise the server would be stopped in the middle of the migrations.
    const down = await clone.pgw("down");
    expect([down.code, down.stderr]).toEqual([
      1,
      expect.stringMatching(/^error: Another run works on stack "local": \S+@\S+ \(pid \d+\) since \S+\.\n {2}Wait/),
    ]);
    const asking = [];
    for (const args of [["destroy"], ["destroy", "--erase", "local"]])
      asking.push(await ask(clone, args, "Type local to continue:"));
    for (const args of [["destroy"], ["destroy", "--erase", "local"]]) {
      const { code, stderr } = await clone.pgw(...args, "--yes");
      expect(code, stderr).toBe(1);
      expect(stderr).toMatch(/^error: Another run works on stack "local": \S+@\S+ \(pid \d+\) since \S+\.\n/m);
      expect(existsSync(join(clone.root, ".pgroundwork", "erasing-local.json"))).toBe(false);
    }
    await migrations.release();
    expect((await up).code).toBe(0);
    for (const { answer } of asking) {
      const { code, output } = await answer("local");
      expect(code, output).toBe(3);
      expect(output).toContain(
        'error: Stack "local" changed after this command read it. This command changed nothing.\n  new   ',
      );
      expect(output).toMatch(/^ {2}new {3}Seeds shop-seeds-dev\b/m);
      expect(output).toContain("  Run the command again and check its output.\n");
    }
    expect(existsSync(join(clone.root, ".pgroundwork", "erasing-local.json"))).toBe(false);
    expect(await clone.query("readonly", products)).toEqual(seeded);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("stops the server of a killed first up, which no state knows", async () => {
    const up = clone.start("up");
    const servers = join(clone.dataHome, "servers");
    const running = async () => (await clone.shell(`cat ${servers}/*/data/postmaster.pid`)).stdout !== "";
    await expect.poll(running, { timeout: 60_000, interval: 20 }).toBe(true);
    process.kill(-(up.pid ?? 0), "SIGKILL");
    await clone.shell(
      'eval "$(node_modules/.bin/node scripts/pgw.mjs engine env)" && pulumi cancel --yes --stack local',
    );
    await clone.succeed("destroy", "--yes");
    const [folder] = (await clone.shell(`ls -d ${servers}/*/data`)).stdout.trim().split("\n");
    expect(await findPostmaster(folder ?? "")).toBeUndefined();
    await clone.succeed("up");
    expect(await clone.query("readonly", products)).toEqual(seeded);
    expect(await changesOf(clone, "up")).toEqual([]);
  });
});
