import { describe, expect, it } from "vitest";
import { redact } from "../../../../scripts/errors/redact.ts";

describe("text that people will see", () => {
  it("has no known secret in it, wherever it stands", () => {
    expect(redact("a hunter-two b hunter-two", ["hunter-two"])).toBe("a [secret] b [secret]");
  });

  it("has none of its percent-encoded and JSON forms either", () => {
    const secret = 'p@ss/w"rd\n';
    expect(redact(`x ${encodeURIComponent(secret)} y ${JSON.stringify({ secret })}`, [secret])).toBe(
      'x [secret] y {"secret":"[secret]"}',
    );
  });

  it("keeps words that a secret too short to hide would garble", () => {
    expect(redact("a bad day", ["a", "", "bad"])).toBe("a bad day");
  });

  it("has no password of a URL, known or not", () => {
    expect(redact("see postgresql://ann:hunter2@db:5432/shop?sslmode=require, please")).toBe(
      "see postgresql://ann:[secret]@db:5432/shop?sslmode=require, please",
    );
    expect(redact("postgres://:hunter2@db/shop")).toBe("postgres://:[secret]@db/shop");
  });

  it("keeps what only looks like one", () => {
    for (const text of ["http://db:5432/@x", "ann@db:5432", "12:30 a@b", "postgresql://ann@db/shop"]) {
      expect(redact(text)).toBe(text);
    }
  });

  it("looks for no secret in what it has masked already", () => {
    expect(redact("login with hush-hush failed", ["hush-hush", "secret"])).toBe("login with [secret] failed");
  });
});
