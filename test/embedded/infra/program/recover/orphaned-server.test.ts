import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPostmaster } from "../../../../../scripts/server/postmaster.ts";
import { serverFolders } from "../../../../../scripts/server/server-record.ts";
import type { RecoveryContext } from "../../../../../scripts/stack/recover/leftover.ts";
import { allServers } from "../../../../../scripts/stack/recover/own-servers.ts";
import { unknownServers } from "../../../../../scripts/stack/recover/unknown-servers.ts";
import type { Clone } from "../../../clone.ts";
import { makeShop, shopSettings } from "../shop.ts";

/** Creates a second project of the same user, with its servers in the same folder as the first one's. */
async function makeNeighbour(clone: Clone): Promise<Clone> {
  const neighbour = await makeShop();
  neighbour.env.XDG_DATA_HOME = clone.env.XDG_DATA_HOME;
  return neighbour;
}

async function dataOf(clone: Clone): Promise<string> {
  const [folder = ""] = await serverFolders(clone.dataHome);
  return join(folder, "data");
}

describe("a server whose project directory was deleted", () => {
  let former: Clone;
  let clone: Clone;
  let data: string;

  beforeAll(async () => {
    former = await makeShop();
    await former.succeed("up");
    await former.query("app", "insert into product (id, name, price) values (3, 'cocoa', 1)");
    data = await dataOf(former);
    clone = await makeNeighbour(former);
    expect((await clone.succeed("recover")).stdout).toContain("left anything");
    await rm(former.root, { recursive: true });
  });
  afterAll(async () => {
    await former?.remove();
    await clone?.remove();
  });

  it("is named by recover in another project, which leaves it running", async () => {
    const { stdout, stderr } = await clone.succeed("recover");
    expect(stdout).toBe("there is nothing to recover\n");
    expect(stderr).toMatch(
      new RegExp(
        `^found the project directory ${former.root} is gone or was moved, but its stack "local" still has a server: running on port \\d+ \\(pid \\d+\\), \\d+ MB, 1 database, in ${data}\n` +
          ` {6}Its data is kept\\. To use it in a stack, set pgroundwork:dataDirectory: ${data} --stop-orphans stops the server\\.\n$`,
      ),
    );
    expect(await findPostmaster(data)).toBeDefined();
  });

  it("is left alone if its project directory exists again before it is stopped", async () => {
    // The second project's servers are in the data folder of the first.
    const servers = await allServers(former.dataHome);
    const stack = { root: clone.root, name: "local" };
    const context = { stack, home: former.dataHome, stopOrphans: true } as RecoveryContext;
    await mkdir(former.root);
    const before = await unknownServers(context, "pgroundwork", servers, undefined);
    expect(before).toEqual([]);
    await rm(former.root, { recursive: true });
    const [found] = await unknownServers(context, "pgroundwork", servers, undefined);
    await mkdir(former.root);
    expect(await found?.act?.()).toBe(false);
    expect(await findPostmaster(data)).toBeDefined();
    await rm(former.root, { recursive: true });
  });

  it("is stopped on request and keeps its data", async () => {
    expect((await clone.pgw("recover", "--stop-orphans", "--dry-run")).code).toBe(4);
    expect(await findPostmaster(data)).toBeDefined();
    expect((await clone.succeed("recover", "--stop-orphans")).stderr).toContain(
      "done  stop the server and keep its data",
    );
    expect(await findPostmaster(data)).toBeUndefined();
  });

  it("passes its data to a stack that names its data directory", async () => {
    await clone.configure({ ...shopSettings, dataDirectory: data });
    await clone.succeed("up");
    expect(await clone.query("readonly", "select name from product order by id")).toEqual([
      { name: "tea" },
      { name: "coffee" },
      { name: "cocoa" },
    ]);
    expect((await clone.succeed("up")).stdout).toContain("no changes");
    // The server now belongs to this stack, whatever the record in its former folder says.
    expect((await clone.succeed("recover", "--stop-orphans", "--json")).stdout).toContain('"done": false');
    expect(await findPostmaster(data)).toBeDefined();
  });
});

describe("a data directory that two stacks name", () => {
  let first: Clone;
  let second: Clone;
  let data: string;

  beforeAll(async () => {
    first = await makeShop();
    await first.succeed("up");
    data = await dataOf(first);
    second = await makeNeighbour(first);
    await second.configure({ ...shopSettings, dataDirectory: data });
  });
  afterAll(async () => {
    await first?.remove();
    await second?.remove();
  });

  it("stays with the stack whose server runs on it", async () => {
    const refused = await second.pgw("up");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      `The data directory ${data} is in use by the server of stack "local" of the project directory ${first.root} (pid `,
    );
    expect(refused.stderr).toContain("stop that server there (npm run down -- --stack local)");
    expect((await first.succeed("up")).stdout).toContain("no changes");
  });

  it("goes to the second stack after the first one stopped, and the first is then refused", async () => {
    await first.succeed("down");
    await second.succeed("up");
    const refused = await first.pgw("up");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`of the project directory ${second.root} (pid `);
    expect(await second.query("readonly", "select name from product where id = 1")).toEqual([{ name: "tea" }]);
  });

  it("is then neither stopped nor erased by the first stack", async () => {
    const running = await findPostmaster(data);
    for (const args of [["down"], ["destroy", "--yes"], ["destroy", "--erase", "local", "--yes"]]) {
      const { code, stderr } = await first.pgw(...args);
      expect(code, stderr).toBe(3);
      expect(stderr).toContain(
        `error: The data directory ${data} is in use by the server of stack "local" of the project directory ${second.root} (pid ${running?.pid}). It was not stopped.\n` +
          '  It adopted the data of stack "local". Stop it there first: npm run down -- --stack local\n',
      );
    }
    expect(await findPostmaster(data)).toEqual(running);

    await second.succeed("down");
    const { code, stderr } = await first.pgw("destroy", "--erase", "local", "--yes");
    expect(code, stderr).toBe(3);
    expect(stderr).toContain(`The data in ${data} belongs to stack "local" of the project directory ${second.root}`);
  });

  it("returns to the first stack after `destroy` and `up`, and the second no longer finds it", async () => {
    await second.succeed("destroy", "--yes");
    await second.configure(shopSettings);
    const { code, stderr } = await first.pgw("up");
    expect(code).toBe(1);
    expect(stderr).toContain(
      `The data in ${data} belongs to stack "local" of the project directory ${second.root}, which has adopted it or is the original of this copy. Nothing was changed.\n  To adopt it here with new passwords, stop that server there, run \`npm run pgw -- destroy\` here, which keeps the data, then \`up\`.`,
    );
    await first.succeed("destroy", "--yes");
    await first.succeed("up");
    expect((await second.succeed("recover")).stdout).toContain("left anything");
    expect(await first.query("readonly", "select name from product where id = 1")).toEqual([{ name: "tea" }]);
  });
});
