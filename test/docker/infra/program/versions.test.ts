import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Clone, makeClone } from "../../../embedded/clone.ts";
import { faultsOfUpgrade } from "../../../support/versions/check.ts";

describe("a stack of the previous version", () => {
  let clone: Clone;

  beforeAll(async () => {
    clone = await makeClone({ usersEngine: true });
  });
  afterAll(() => clone?.remove());

  it("previews only announced changes in a container", async () => {
    expect(await faultsOfUpgrade(clone, "dev")).toEqual([]);
  });

  it("previews only announced changes in a protected stack with backups and monitoring", async () => {
    expect(await faultsOfUpgrade(clone, "staging")).toEqual([]);
  });
});
