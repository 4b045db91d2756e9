import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { fingerprinter } from "../../../../../scripts/import/source/sqlite/fingerprint.ts";
import { InvalidText, type Value } from "../../../../../scripts/import/values/value.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 32);

it("a fingerprint is the hash of all names and values with their kinds, for values of any length", () => {
  const fingerprint = fingerprinter(["id", "größe"]);
  const prefix = '["id","größe"]';
  const long = "ü".repeat((1 << 20) + 1);
  const cases: [Value[], string][] = [
    [[9_223_372_036_854_775_807n, "a"], "i9223372036854775807;t1:a"],
    [[-1n, 1.5, -0, null], "i-1;r1.5;r-0;n"],
    [["größe 世界 \u{1f30d}", "x".repeat(70)], `t11:größe 世界 \u{1f30d}t70:${"x".repeat(70)}`],
    [[Buffer.from("00ff", "hex"), "z".repeat(9_000)], `b00ff;t9000:${"z".repeat(9_000)}`],
    [[new InvalidText("text that is not UTF-8", Buffer.from("ff41", "hex"))], "xtext that is not UTF-8:ff41;"],
    [[long, 7n, Buffer.from("01", "hex")], `t${long.length}:${long}i7;b01;`],
  ];
  for (const [row, text] of cases) expect(fingerprint(row)).toBe(sha256(prefix + text));
  // A row that is longer than all before it leaves nothing behind.
  expect(fingerprint([1n, "b"])).toBe(sha256(`${prefix}i1;t1:b`));
});
