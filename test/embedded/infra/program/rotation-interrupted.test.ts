import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import type { Clone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { revealedOutputs } from "./passwords.ts";
import { makeShop, shopSettings } from "./shop.ts";

interface State {
  checkpoint: { latest: { resources: { urn: string; type: string }[] } };
}

describe("a password rotation that was killed after the server had the new passwords", () => {
  let clone: Clone;
  let state: string;
  let data: string;

  beforeEach(async () => {
    clone = await makeShop();
    await clone.succeed("up");
    state = join(clone.root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork", "local.json");
    data = (await revealedOutputs(clone)).server.dataDirectory;
  });
  afterEach(() => clone?.remove());

  /**
   * Rotates the passwords. Then restores the former state of all but some resources, as if a kill had come before the
   * rest was written.
   */
  async function rotateUntil(isWritten: (resource: { urn: string; type: string }) => boolean): Promise<void> {
    const before = JSON.parse(await readFile(state, "utf8")) as State;
    await clone.configure({ ...shopSettings, passwordVersion: "2" });
    await clone.succeed("up");
    const after = JSON.parse(await readFile(state, "utf8")) as State;
    const former = new Map(before.checkpoint.latest.resources.map((resource) => [resource.urn, resource]));
    after.checkpoint.latest.resources = after.checkpoint.latest.resources.map((resource) =>
      isWritten(resource) ? resource : (former.get(resource.urn) ?? resource),
    );
    await writeFile(state, JSON.stringify(after));
  }

  async function expectConverged(): Promise<void> {
    expect(await clone.query("app", "select name from product where id = 1")).toEqual([{ name: "tea" }]);
    for (const role of ["superuser", "monitor"])
      expect(await clone.query(role, "select 1 as one")).toEqual([{ one: 1 }]);
    for (const command of ["refresh", "up"] as const) expect(await changesOf(clone, command)).toEqual([]);
  }

  it("continues without a restart if the state has the new passwords", async () => {
    const before = await findPostmaster(data);
    await rotateUntil(({ type }) => type === "pgroundwork:index:Password");
    const previewed = await changesOf(clone, "preview");
    expect(previewed.toSorted()).toEqual(
      [
        ...["server-backup", "server-monitor", "shop-app", "shop-migrator", "shop-readonly"].map(
          (name) => `update ${name}: password`,
        ),
        "update server-postgres: superuserPassword",
        "update server-ready: password",
      ].sort(),
    );
    expect((await changesOf(clone, "up")).toSorted()).toEqual(previewed.toSorted());
    expect(await findPostmaster(data)).toEqual(before);
    await expectConverged();
  });

  it("generates other passwords with a previewed restart if the state has none of them", async () => {
    const before = await findPostmaster(data);
    await rotateUntil(() => false);
    const told = ["update server-postgres: superuserPassword, pid", "update server-ready: password, trigger"];
    expect(await changesOf(clone, "preview")).toEqual(expect.arrayContaining(told));
    expect(await changesOf(clone, "up")).toEqual(expect.arrayContaining(told));
    expect((await findPostmaster(data))?.pid).not.toBe(before?.pid);
    await expectConverged();
  });
});
