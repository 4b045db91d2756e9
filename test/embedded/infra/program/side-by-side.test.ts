import { stat } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import type { Clone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { passwordsOf, revealedOutputs } from "./passwords.ts";
import { makeShop } from "./shop.ts";

/** User id of `nobody` on Debian, Alpine and Fedora. */
const nobody = 65534;

const whose: [string, number | undefined][] = [["of the same user", undefined]];
if (process.getuid?.() === 0) whose.push(["of another user", nobody]);

describe.each(whose)("two projects on one machine, the second one %s", (_, uid) => {
  let clones: [Clone, Clone];
  const both = <T>(work: (clone: Clone) => Promise<T>) => Promise.all(clones.map(work));
  const serverOf = async (clone: Clone) => (await revealedOutputs(clone)).server;

  beforeAll(async () => {
    clones = await Promise.all([makeShop(), makeShop(uid === undefined ? {} : { uid })]);
  });
  afterAll(() => Promise.all((clones ?? []).map((clone) => clone.remove())));

  it("come up at the same time, each with its own port, data and passwords", async () => {
    await both((clone) => clone.succeed("up"));
    const [first, second] = await both(serverOf);
    expect(first?.port).not.toBe(second?.port);
    expect(first?.dataDirectory).not.toBe(second?.dataDirectory);
    const passwords = (await both(passwordsOf)).flat();
    expect(new Set(passwords).size).toBe(passwords.length);
    if (uid !== undefined) expect((await stat(second?.dataDirectory ?? "")).uid).toBe(uid);
  });

  it("keep their own rows, and neither has changes left", async () => {
    await clones[0].query("app", "insert into product values (3, 'cocoa', 2)");
    expect(await clones[1].query("readonly", "select name from product where id = 3")).toEqual([]);
    expect(await both((clone) => changesOf(clone, "up"))).toEqual([[], []]);
  });

  it("stop and start independently", async () => {
    const running = await serverOf(clones[1]);
    await clones[0].succeed("down");
    expect((await findPostmaster(running.dataDirectory))?.port).toBe(running.port);
    expect(await clones[1].query("readonly", "select count(*)::int as rows from product")).toEqual([{ rows: 2 }]);
    expect(await changesOf(clones[0], "up")).toEqual(["update server-postgres: pid", "update server-ready: trigger"]);
    expect(await clones[0].query("readonly", "select count(*)::int as rows from product")).toEqual([{ rows: 3 }]);
  });
});
