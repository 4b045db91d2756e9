import { describe, expect, it } from "vitest";
import { redact } from "../../../../scripts/core/redact.ts";

describe("redacted text", () => {
  it("contains no known secret at any position", () => {
    expect(redact("a hunter-two b hunter-two", ["hunter-two"])).toBe("a [secret] b [secret]");
  });

  it("contains no percent-encoded or JSON form of a secret", () => {
    const secret = 'p@ss/w"rd\n';
    expect(redact(`x ${encodeURIComponent(secret)} y ${JSON.stringify({ secret })}`, [secret])).toBe(
      'x [secret] y {"secret":"[secret]"}',
    );
  });

  it("keeps words that equal a very short secret", () => {
    expect(redact("a bad day", ["a", "", "bad"])).toBe("a bad day");
  });

  it("contains no password of a URL, known or unknown", () => {
    expect(redact("see postgresql://ann:hunter2@db:5432/shop?sslmode=require, please")).toBe(
      "see postgresql://ann:[secret]@db:5432/shop?sslmode=require, please",
    );
    expect(redact("postgres://:hunter2@db/shop")).toBe("postgres://:[secret]@db/shop");
  });

  it("keeps text that only looks like a URL password", () => {
    for (const text of ["http://db:5432/@x", "ann@db:5432", "12:30 a@b", "postgresql://ann@db/shop"]) {
      expect(redact(text)).toBe(text);
    }
  });

  it("is not searched for secrets inside its own masks", () => {
    expect(redact("login with hush-hush failed", ["hush-hush", "secret"])).toBe("login with [secret] failed");
  });

  it("contains no secret of which another is a part, or that follows another one", () => {
    expect(redact("key-one key-one-and-two key-onekey-one", ["key-one", "key-one-and-two"])).toBe(
      "[secret] [secret] [secret][secret]",
    );
  });

  it("contains no secret if others are whole files", () => {
    const files = ["a", "b", "c"].map((letter) => `${letter}(\n`.repeat(300_000));
    expect(redact("login with hush-hush failed", [...files, "hush-hush"])).toBe("login with [secret] failed");
    expect(redact(`read ${files[1]}.`, files)).toBe("read [secret].");
  });
});
