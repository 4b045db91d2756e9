import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { isStoredForm, matchesStored } from "../../../../../infra/fallback-providers/postgresql/stored-password.ts";
import { scramVerifier } from "../../../../../scripts/connection/scram.ts";

describe("the comparison with a stored password", () => {
  it("recognises the password in SCRAM and md5 form, and no other", async () => {
    const stored = await scramVerifier("right");
    expect(await matchesStored("right", stored, "app")).toBe(true);
    expect(await matchesStored("wrong", stored, "app")).toBe(false);
    const md5 = `md5${createHash("md5").update("rightapp").digest("hex")}`;
    expect(await matchesStored("right", md5, "app")).toBe(true);
    expect(await matchesStored("right", md5, "other")).toBe(false);
  });

  it("requires an exact match if the password itself has the stored form", async () => {
    const stored = await scramVerifier("right");
    expect(isStoredForm(stored)).toBe(true);
    expect(isStoredForm("SCRAM-SHA-256$not really")).toBe(false);
    expect(await matchesStored(stored, stored, "app")).toBe(true);
    expect(await matchesStored(stored, await scramVerifier("right"), "app")).toBe(false);
  });
});
