import { createHash, createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { scramVerifier } from "../../../../scripts/connection/scram.ts";

describe("the SCRAM verifier of a password", () => {
  it("agrees with the example in RFC 7677", async () => {
    const verifier = await scramVerifier("pencil", Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"), 4096);
    const [, parameters, keys] = verifier.split("$");
    expect(parameters).toBe("4096:W22ZaJ0SNY7soEsUEjb6gQ==");
    const [storedKey, serverKey] = (keys ?? "").split(":").map((key) => Buffer.from(key, "base64"));
    const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const exchange = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`;
    const hmac = (key: Buffer | undefined) =>
      createHmac("sha256", key ?? "")
        .update(exchange)
        .digest();
    expect(hmac(serverKey).toString("base64")).toBe("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    const signature = hmac(storedKey);
    const clientKey = Buffer.from("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "base64").map(
      (byte, index) => byte ^ (signature[index] ?? 0),
    );
    expect(createHash("sha256").update(clientKey).digest()).toEqual(storedKey);
  });

  it("has another salt each time", async () => {
    expect(await scramVerifier("same")).not.toBe(await scramVerifier("same"));
  });

  it("is the same for passwords that SASLprep maps to one", async () => {
    const salt = Buffer.alloc(16, 1);
    expect(await scramVerifier("I\u00ADX", salt)).toBe(await scramVerifier("IX", salt));
    expect(await scramVerifier("a\u00A0b", salt)).toBe(await scramVerifier("a b", salt));
    expect(await scramVerifier("\u2168", salt)).toBe(await scramVerifier("IX", salt));
    expect(await scramVerifier("ix", salt)).not.toBe(await scramVerifier("IX", salt));
  });
});
