import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clone } from "../../../clone.ts";
import { changesOf } from "../changes.ts";
import { revealedOutputs } from "../passwords.ts";
import { shopSettings } from "../shop.ts";
import { expectAdopted, expectStocked, makeStockedShop } from "./rows.ts";

describe("a changed dataDirectory setting", () => {
  let clone: Clone;
  let data: string;
  let elsewhere: string;

  beforeAll(async () => {
    clone = await makeStockedShop();
    data = (await revealedOutputs(clone)).server.dataDirectory;
    elsewhere = join(clone.dataHome, "elsewhere");
  });
  afterAll(() => clone?.remove());

  it("is refused if the data was not moved, with the command to move it, and the server keeps running", async () => {
    await clone.configure({ ...shopSettings, dataDirectory: elsewhere });
    for (const command of ["preview", "up"]) {
      const { code, stderr } = await clone.pgw(command);
      expect(code).toBe(1);
      expect(stderr).toContain(
        `The data is in ${data}, but the data directory is now set to ${elsewhere}, which has no data.\n  Stop the server (npm run down), move it (mv '${data}' '${elsewhere}'), then run \`up\` again.`,
      );
    }
    expect(existsSync(elsewhere)).toBe(false);
    await expectStocked(clone);
  });

  it("is accepted after the data was moved by hand", async () => {
    await clone.succeed("down");
    await rename(data, elsewhere);
    await expectAdopted(clone);
    expect((await revealedOutputs(clone)).server.dataDirectory).toBe(elsewhere);
  });

  it("can be removed again, and the data stays where it is", async () => {
    await clone.configure(shopSettings);
    await expectAdopted(clone);
    expect((await revealedOutputs(clone)).server.dataDirectory).toBe(elsewhere);
  });

  it("can be absent even if the state is lost, and the data stays where it is", async () => {
    await rm(join(clone.root, ".pgroundwork", ".pulumi"), { recursive: true });
    expect((await clone.succeed("recover")).stderr).toContain(
      `in ${elsewhere}\n      The next \`up\` adopts it and sets new passwords.\n`,
    );
    await clone.succeed("up");
    await expectStocked(clone);
    expect((await revealedOutputs(clone)).server.dataDirectory).toBe(elsewhere);
  });

  it("is an error if the data is missing, and no new cluster is created", async () => {
    await clone.succeed("down");
    await rename(elsewhere, `${elsewhere}.unmounted`);
    for (const command of ["up", "refresh", "up"]) {
      const { code, stderr } = await clone.pgw(command);
      expect(code).toBe(1);
      expect(stderr).toContain(`The data directory ${elsewhere} of this server is gone.`);
    }
    await rename(`${elsewhere}.unmounted`, elsewhere);
    await expectAdopted(clone);
    expect(await changesOf(clone, "preview")).toEqual([]);
  });

  it("leads to a new, empty cluster if the data is missing and after `destroy`", async () => {
    await clone.succeed("down");
    await rm(elsewhere, { recursive: true });
    await clone.succeed("destroy", "--yes");
    await clone.succeed("up");
    expect((await revealedOutputs(clone)).server.dataDirectory).toBe(data);
    expect(await clone.query("readonly", "select name from product order by id")).toEqual([
      { name: "tea" },
      { name: "coffee" },
    ]);
  });
});
