import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Drill } from "../../../../../scripts/backup/drill/drill.ts";
import { appendEvidence, createEvidenceKey, readPrivateKey } from "../../../../../scripts/backup/drill/evidence.ts";
import { judgeEvidence } from "../../../../../scripts/backup/drill/evidence-volume.ts";

const run = { project: "p", stack: "s", repository: "r", drill: { outcome: "passed" } as Drill };
const none = { number: 0, hash: "" };

describe("the evidence of the stack's own drills", () => {
  let folder: string;
  let publicKey: string;
  let append: () => { number: number; hash: string };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "evidence-"));
    const file = join(folder, "drill.key");
    createEvidenceKey(file);
    publicKey = readFileSync(`${file}.pub`, "utf8");
    append = () => appendEvidence(folder, readPrivateKey(file), run, undefined);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is none before the first drill, which is no fault", () => {
    expect(judgeEvidence(folder, publicKey, none)).toEqual({ newest: none, faults: [] });
  });

  it("is the newest run, which can be later than the one that is known", () => {
    const first = append();
    expect(judgeEvidence(folder, publicKey, none)).toEqual({ newest: first, faults: [] });
    const second = append();
    expect(judgeEvidence(folder, publicKey, first)).toEqual({ newest: second, faults: [] });
  });

  it("is reported as lost if the newest known run, or all of it, was removed", () => {
    const [first, second] = [append(), append()];
    rmSync(join(folder, "000002.json"));
    expect(judgeEvidence(folder, publicKey, second)).toEqual({
      newest: first,
      faults: ["The evidence of restore drills was tampered with or lost: 000002.json is missing."],
    });
    rmSync(join(folder, "000001.json"));
    expect(judgeEvidence(folder, publicKey, second)).toEqual({
      newest: second,
      faults: ["The evidence of restore drills was tampered with or lost: all runs are missing; run 2 was there."],
    });
  });
});
