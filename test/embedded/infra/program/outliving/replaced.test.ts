import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPostmaster } from "../../../../../scripts/server/postmaster.ts";
import type { Clone } from "../../../clone.ts";
import { revealedOutputs } from "../passwords.ts";
import { pulumi, urnOf } from "./by-hand.ts";
import { expectStocked, expectTakenBack, makeStockedShop } from "./rows.ts";

describe("data outlives the replacement", () => {
  let clone: Clone;
  const replace = async (name: string) => {
    const stdout = await pulumi(clone, `up --yes --skip-preview --replace '${await urnOf(clone, name)}'`);
    expect(stdout).toMatch(/\+-\d+ replaced/);
  };

  beforeAll(async () => {
    clone = await makeStockedShop();
  });
  afterAll(() => clone?.remove());

  it("of the server, which runs on as its own replacement", async () => {
    const { dataDirectory } = (await revealedOutputs(clone)).server;
    const before = await findPostmaster(dataDirectory);
    await replace("server-postgres");
    expect(await findPostmaster(dataDirectory)).toEqual(before);
    await expectStocked(clone);
    await expectTakenBack(clone);
  });

  it("of the provider that made the database", async () => {
    await replace("server-admin");
    await expectStocked(clone);
    await expectTakenBack(clone);
  });

  it("of the superuser's password", async () => {
    await replace("server-superuser-password");
    await expectStocked(clone);
    await expectTakenBack(clone);
  });
});
