import { readFile } from "node:fs/promises";
import { expect, inject, it } from "vitest";
import { findEngine } from "../../../../scripts/pulumi/find-engine.ts";
import { findGoFunctions } from "../../../support/processes/go-functions.ts";
import { engineVariables, leftOut } from "../../../support/processes/quick-engine.ts";

it("the engine of most tests is the installed one, except the iterations that derive a key, logs and word lists", async () => {
  const installed = await findEngine(process.env);
  // The user's own engine is used as it is. Other machines and compilers make other code.
  if (installed.engine?.source !== "build" || process.platform !== "linux" || process.arch !== "x64") return;
  const quick = await findEngine({ ...process.env, ...engineVariables(inject("engineCache")) });
  const read = ({ engine }: typeof quick) => readFile(engine?.path ?? "missing");
  const [original, changed] = await Promise.all([read(installed), read(quick)]);
  const functions = findGoFunctions(original, Object.keys(leftOut));
  expect([...functions.keys()].toSorted()).toEqual(Object.keys(leftOut).toSorted());
  for (const [name, offset] of functions) {
    const code = Buffer.from(leftOut[name] ?? "", "hex");
    expect(changed.subarray(offset, offset + code.length), name).toEqual(code);
    original.copy(changed, offset, offset, offset + code.length);
  }
  const offsets = differences(original, changed);
  const [first = 0] = offsets;
  expect(offsets.every((offset) => offset < first + 4)).toBe(true);
  expect([original.readUInt32LE(first), changed.readUInt32LE(first)]).toEqual([1_000_000, 1_000]);
});

function differences(one: Buffer, other: Buffer): number[] {
  expect(other.length).toBe(one.length);
  const chunk = 65_536;
  const offsets: number[] = [];
  for (let start = 0; start < one.length; start += chunk) {
    const end = Math.min(start + chunk, one.length);
    if (one.compare(other, start, end, start, end) === 0) continue;
    for (let offset = start; offset < end; offset += 1) if (one[offset] !== other[offset]) offsets.push(offset);
  }
  return offsets;
}
