import { describe, expect, it } from "vitest";
import { findInScan } from "../../../../scripts/backup/scan.ts";

const now = new Date("2026-11-21T12:00:00Z");
const minutesAgo = (minutes: number) => now.getTime() / 1_000 - minutes * 60;
const gap = { level: "wrong" as const, text: "A segment is missing.", hint: "Make a backup." };

describe("a recorded scan of the repository", () => {
  it("returns its findings with their age", () => {
    expect(findInScan({ scannedAt: minutesAgo(50), findings: [] }, now)).toEqual([]);
    expect(findInScan({ scannedAt: minutesAgo(50), findings: [gap] }, now)).toEqual([
      { ...gap, text: "A segment is missing. (scanned 50 min ago)" },
    ]);
  });

  it("is reported as unknown if it is missing or old, even if it found nothing", () => {
    expect(findInScan(undefined, now)).toEqual([
      { level: "unknown", text: "The backup repository has not been scanned yet." },
    ]);
    expect(findInScan({ scannedAt: minutesAgo(300), findings: [] }, now)).toMatchObject([
      { level: "unknown", text: expect.stringMatching(/last scanned 5 h ago, so .* is not known/) },
    ]);
    expect(findInScan({ scannedAt: minutesAgo(-300), findings: [gap] }, now)).toMatchObject([
      { text: "A segment is missing. (scanned in the future)" },
      { level: "unknown", text: expect.stringMatching(/last scanned in the future, so .* is not known/) },
    ]);
  });
});
