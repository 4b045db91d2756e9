import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { isStoredForm, matchesStored } from "../../../../../infra/airgap/postgresql/stored-password.ts";
import { scramVerifier } from "../../../../../scripts/target/scram.ts";

describe("comparing with what the server stores", () => {
  it("recognises the password in SCRAM and md5 form, and no other", async () => {
    const stored = await scramVerifier("right");
    expect(await matchesStored("right", stored, "app")).toBe(true);
    expect(await matchesStored("wrong", stored, "app")).toBe(false);
    const md5 = `md5${createHash("md5").update("rightapp").digest("hex")}`;
    expect(await matchesStored("right", md5, "app")).toBe(true);
    expect(await matchesStored("right", md5, "other")).toBe(false);
  });

  it("takes a password in stored form at its word", async () => {
    const stored = await scramVerifier("right");
    expect(isStoredForm(stored)).toBe(true);
    expect(isStoredForm("SCRAM-SHA-256$not really")).toBe(false);
    expect(await matchesStored(stored, stored, "app")).toBe(true);
    expect(await matchesStored(stored, await scramVerifier("right"), "app")).toBe(false);
  });
});
