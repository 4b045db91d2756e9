import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPostmaster } from "../../../../../scripts/server/postmaster.ts";
import { serverFolders } from "../../../../../scripts/server/server-record.ts";
import type { Clone } from "../../../clone.ts";
import { makeShop, shopSettings } from "../shop.ts";

/** A second clone of the same user: its servers lie beside the first one's. */
async function makeNeighbour(clone: Clone): Promise<Clone> {
  const neighbour = await makeShop();
  neighbour.env.XDG_DATA_HOME = clone.env.XDG_DATA_HOME;
  return neighbour;
}

async function dataOf(clone: Clone): Promise<string> {
  const [folder = ""] = await serverFolders(clone.dataHome);
  return join(folder, "data");
}

describe("a server whose clone was deleted", () => {
  let former: Clone;
  let clone: Clone;
  let data: string;

  beforeAll(async () => {
    former = await makeShop();
    await former.succeed("up");
    await former.query("app", "insert into product (id, name, price) values (3, 'cocoa', 1)");
    data = await dataOf(former);
    clone = await makeNeighbour(former);
    expect((await clone.succeed("recover")).stdout).toContain("nothing was left");
    await rm(former.root, { recursive: true });
  });
  afterAll(async () => {
    await former?.remove();
    await clone?.remove();
  });

  it("is named by another clone's recover, which leaves it running", async () => {
    const { stdout, stderr } = await clone.succeed("recover");
    expect(stdout).toBe("there is nothing to take back\n");
    expect(stderr).toMatch(
      new RegExp(
        `^found the clone ${former.root} is gone \\(or was moved\\), the server of its stack "local" is not: running on port \\d+ \\(pid \\d+\\), \\d+ MB, 1 database, in ${data}\n` +
          ` {6}Its data is kept\\. A stack gets it with pgroundwork:dataDirectory: ${data} --stop-orphans stops the server\\.\n$`,
      ),
    );
    expect(await findPostmaster(data)).toBeDefined();
  });

  it("is stopped where that is asked for, and its data kept", async () => {
    expect((await clone.pgw("recover", "--stop-orphans", "--dry-run")).code).toBe(4);
    expect(await findPostmaster(data)).toBeDefined();
    expect((await clone.succeed("recover", "--stop-orphans")).stderr).toContain(
      "done  stop the server and keep its data",
    );
    expect(await findPostmaster(data)).toBeUndefined();
  });

  it("gives its data to the stack that names its data directory", async () => {
    await clone.configure({ ...shopSettings, dataDirectory: data });
    await clone.succeed("up");
    expect(await clone.query("readonly", "select name from product order by id")).toEqual([
      { name: "tea" },
      { name: "coffee" },
      { name: "cocoa" },
    ]);
    expect((await clone.succeed("up")).stdout).toContain("no changes");
    // It is this stack's now, whatever the record in the former folder says.
    expect((await clone.succeed("recover", "--stop-orphans", "--json")).stdout).toContain('"done": false');
    expect(await findPostmaster(data)).toBeDefined();
  });
});

describe("a data directory that two clones' stacks name", () => {
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

  it("stays with the one whose server runs on it", async () => {
    const refused = await second.pgw("up");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      `On the data directory ${data} runs the server of stack "local" of the clone ${first.root} (pid `,
    );
    expect(refused.stderr).toContain("Stop it there (npm run down -- --stack local) if this stack is to have the data");
    expect((await first.succeed("up")).stdout).toContain("no changes");
  });

  it("goes to the other when the first server was stopped, and the first is refused then", async () => {
    await first.succeed("down");
    await second.succeed("up");
    const refused = await first.pgw("up");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`of the clone ${second.root} (pid `);
    expect(await second.query("readonly", "select name from product where id = 1")).toEqual([{ name: "tea" }]);
  });

  it("is neither stopped nor erased by the first then", async () => {
    const running = await findPostmaster(data);
    for (const args of [["down"], ["destroy", "--yes"], ["destroy", "--erase", "local", "--yes"]]) {
      const { code, stderr } = await first.pgw(...args);
      expect(code, stderr).toBe(3);
      expect(stderr).toContain(
        `error: On the data directory ${data} runs the server of stack "local" of the clone ${second.root} (pid ${running?.pid}). It was not stopped.\n` +
          '  It took the data over from stack "local". Stop it there first: npm run down -- --stack local\n',
      );
    }
    expect(await findPostmaster(data)).toEqual(running);

    await second.succeed("down");
    const { code, stderr } = await first.pgw("destroy", "--erase", "local", "--yes");
    expect(code, stderr).toBe(3);
    expect(stderr).toContain(`The data in ${data} is that of stack "local" of the clone ${second.root}`);
  });

  it("is the first one's again after `destroy` and `up`, and nothing that the second would find", async () => {
    await second.succeed("destroy", "--yes");
    await second.configure(shopSettings);
    const { code, stderr } = await first.pgw("up");
    expect(code).toBe(1);
    expect(stderr).toContain(
      `Stack "local" of the clone ${second.root} has taken over the data in ${data}.\n  To take it back, with new passwords: \`npm run pgw -- destroy\`, which keeps it, then \`up\`.`,
    );
    await first.succeed("destroy", "--yes");
    await first.succeed("up");
    expect((await second.succeed("recover")).stdout).toContain("nothing was left");
    expect(await first.query("readonly", "select name from product where id = 1")).toEqual([{ name: "tea" }]);
  });
});
