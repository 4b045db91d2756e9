import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPostmaster } from "../../../../../scripts/server/postmaster.ts";
import type { Clone } from "../../../clone.ts";
import { revealedOutputs } from "../passwords.ts";
import { pulumi, urnOf } from "./by-hand.ts";
import { expectAdopted, expectStocked, makeStockedShop } from "./rows.ts";

describe("the data of a stack", () => {
  let clone: Clone;
  const replace = async (name: string) => {
    const stdout = await pulumi(clone, `up --yes --skip-preview --replace '${await urnOf(clone, name)}'`);
    expect(stdout).toMatch(/\+-\d+ replaced/);
  };

  beforeAll(async () => {
    clone = await makeStockedShop();
  });
  afterAll(() => clone?.remove());

  it("survives the replacement of the server, which keeps running", async () => {
    const { dataDirectory } = (await revealedOutputs(clone)).server;
    const before = await findPostmaster(dataDirectory);
    await replace("server-postgres");
    expect(await findPostmaster(dataDirectory)).toEqual(before);
    await expectStocked(clone);
    await expectAdopted(clone);
  });

  it("survives the replacement of the provider that created the database", async () => {
    await replace("server-admin");
    await expectStocked(clone);
    await expectAdopted(clone);
  });

  it("survives the replacement of the superuser's password", async () => {
    await replace("server-superuser-password");
    await expectStocked(clone);
    await expectAdopted(clone);
  });
});
