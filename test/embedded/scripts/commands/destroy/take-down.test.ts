import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findPostmaster } from "../../../../../scripts/server/postmaster.ts";
import { withClient } from "../../../../../scripts/target/client.ts";
import type { Clone } from "../../../clone.ts";
import { changesOf } from "../../../infra/program/changes.ts";
import { revealedOutputs } from "../../../infra/program/passwords.ts";
import { makeShop, shopSettings } from "../../../infra/program/shop.ts";

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

  it("says what would go and what stays, and without a terminal does it only with --yes", async () => {
    const { code, stdout, stderr } = await clone.pgw("destroy");
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(
      /^Stack "local" is taken down:\n {2}goes {3}its \d+ resources in the state, and every generated password\n {2}stops {2}the server on port \d+\n/m,
    );
    expect(stderr).toContain(`  stays  the data in ${data}: shop\n`);
    expect(stderr).toContain(
      'error: Taking down stack "local" needs a confirmation: nothing was changed.\n  Add --yes.\n',
    );
    expect(await clone.query("readonly", products)).toEqual(seeded);
    expect(await changesOf(clone, "up")).toEqual([]);
  });

  it("stops the server, keeps the data and says where it is", async () => {
    const login = await clone.login("app");
    const { stdout } = await clone.succeed("destroy", "--yes");
    expect(stdout).toBe(
      `stack "local" is taken down, its server is stopped\nThe data is kept in ${data}: \`npm run up\` takes it back, with new passwords.\n`,
    );
    expect(await findPostmaster(data)).toBeUndefined();
    for (const command of [["outputs"], ["url"], ["psql"], ["migrate", "status"], ["seed", "info"], ["down"], ["logs"]])
      expect((await clone.pgw(...command)).stderr, command.join(" ")).toBe(notUp);
    expect((await clone.succeed("destroy", "--yes")).stdout).toBe(
      `Stack "local" is not up: there is nothing to take down.\nThe data is kept in ${data}: \`npm run up\` takes it back, with new passwords.\n`,
    );

    await clone.succeed("up");
    expect(await clone.query("readonly", products)).toEqual(seeded);
    await expect(withClient(login, async () => undefined)).rejects.toThrow(/password authentication failed/);
    expect(await changesOf(clone, "up")).toEqual([]);
    expect(await changesOf(clone, "refresh")).toEqual([]);
  });

  it("does so where the server was down", async () => {
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

  it("does so where a run was interrupted at one of its resources", async () => {
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

  it("refuses with the way out where the state cannot be read, and leaves everything as it was", async () => {
    const file = join(clone.root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork", "local.json");
    const state = await readFile(file);
    await writeFile(file, state.subarray(0, 1_000));
    const { code, stderr } = await clone.pgw("destroy", "--yes");
    expect(code).toBe(1);
    expect(stderr).toContain(`The stack's state is damaged: ${file}. Put back ${file}.bak`);
    await writeFile(file, state);
    expect(await clone.query("readonly", products)).toEqual(seeded);
  });

  it("says so where the data is gone, and takes down the rest", async () => {
    await clone.succeed("down");
    await rename(data, `${data}.elsewhere`);
    const { stdout } = await clone.succeed("destroy", "--yes");
    expect(stdout).toBe(`stack "local" is taken down\nThere is no data in ${data}.\n`);
    await rename(`${data}.elsewhere`, data);
    await clone.succeed("up");
    expect(await clone.query("readonly", products)).toEqual(seeded);
  });

  it("keeps data elsewhere, which `up` finds without the setting, too", async () => {
    const elsewhere = join(clone.dataHome, "moved");
    await clone.succeed("down");
    await rename(data, elsewhere);
    await clone.configure({ ...shopSettings, dataDirectory: elsewhere });
    await clone.succeed("up");
    await clone.configure(shopSettings);
    expect((await clone.succeed("destroy", "--yes")).stdout).toContain(
      `The data is kept in ${elsewhere}: \`npm run up\` takes it back`,
    );
    await clone.succeed("up");
    expect(await clone.query("readonly", products)).toEqual(seeded);
  });
});

describe("pgw destroy of a stack", () => {
  let clone: Clone;

  beforeEach(async () => {
    clone = await makeShop();
  });
  afterEach(() => clone?.remove());

  it("that was never up has nothing to do, and one that there is not is wrong usage", async () => {
    expect((await clone.succeed("destroy", "--yes")).stdout).toBe(
      'Stack "local" is not up: there is nothing to take down.\n',
    );
    expect(existsSync(join(clone.root, "Pulumi.local.yaml"))).toBe(true);
    const { code, stderr } = await clone.pgw("destroy", "--stack", "loacl", "--yes");
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: There is no stack "loacl"\. There are: .*\blocal\b/m);
  });

  it("that is being brought up says who works on it, and disturbs nothing", async () => {
    const up = clone.pgw("up");
    const servers = join(clone.dataHome, "servers");
    await expect.poll(() => existsSync(servers), { timeout: 60_000, interval: 20 }).toBe(true);
    for (const args of [["destroy"], ["destroy", "--erase", "local"]]) {
      const { code, stderr } = await clone.pgw(...args, "--yes");
      expect(code, stderr).toBe(1);
      expect(stderr).toMatch(/^error: Another run works on stack "local": \S+@\S+ \(pid \d+\) since \S+\.\n/m);
      expect(existsSync(join(clone.root, ".pgroundwork", "erasing-local.json"))).toBe(false);
    }
    expect((await up).code).toBe(0);
    expect(await clone.query("readonly", products)).toEqual(seeded);
  });

  it("whose first up was killed stops the server that no state knows", async () => {
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
