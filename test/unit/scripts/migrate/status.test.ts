import { describe, expect, it } from "vitest";
import type { CommittedMigration } from "../../../../scripts/migrate/committed.ts";
import { compareMigrations, type LedgerEntry, type TrackedRow } from "../../../../scripts/migrate/status.ts";

const date = new Date("2026-01-01T00:00:00Z");

function file(
  number: number,
  hash: string,
  previousHash: string | null,
  more: Partial<CommittedMigration> = {},
): CommittedMigration {
  const digits = String(number).padStart(6, "0");
  return {
    filename: `${digits}-x.sql`,
    trackingName: `${digits}.sql`,
    message: undefined,
    hash,
    previousHash,
    computedHash: hash,
    allowInvalidHash: false,
    sha256: `sha-of-${hash}`,
    text: "",
    encodingFault: undefined,
    bodyStart: 0,
    transactional: true,
    ...more,
  };
}

function row(number: number, hash: string, previousHash: string | null): TrackedRow {
  return { hash, previousHash, trackingName: `${String(number).padStart(6, "0")}.sql`, date };
}

function entry(hash: string, more: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    filename: "000001-x.sql",
    direction: "up",
    hash,
    sha256: `sha-of-${hash}`,
    acceptedSha256: null,
    startedAt: date,
    finishedAt: date,
    durationMs: 5,
    appliedBy: "m",
    ...more,
  };
}

const [a, b, c] = [file(1, "a", null), file(2, "b", "a"), file(3, "c", "b")];

function problems(files: CommittedMigration[], rows: TrackedRow[], ledger: LedgerEntry[] = []): string[] {
  return compareMigrations(files, rows, ledger).problems.map(
    ({ kind, filename, expected, found }) => `${kind} ${filename} ${expected} -> ${found}`,
  );
}

describe("the comparison of committed and applied migrations", () => {
  it("has all files pending if nothing is applied", () => {
    const status = compareMigrations([a, b], [], []);
    expect(status.pending.map((each) => each.filename)).toEqual(["000001-x.sql", "000002-x.sql"]);
    expect(status.applied).toEqual([]);
    expect(status.problems).toEqual([]);
  });

  it("distinguishes applied from pending files, with time and role if the ledger has them", () => {
    const status = compareMigrations([a, b, c], [row(2, "b", "a"), row(1, "a", null)], [entry("a")]);
    expect(status.applied).toEqual([
      { filename: "000001-x.sql", message: undefined, hash: "a", appliedAt: date, durationMs: 5, appliedBy: "m" },
      {
        filename: "000002-x.sql",
        message: undefined,
        hash: "b",
        appliedAt: date,
        durationMs: undefined,
        appliedBy: undefined,
      },
    ]);
    expect(status.pending).toEqual([{ filename: "000003-x.sql", message: undefined, interrupted: false }]);
    expect(status.problems).toEqual([]);
  });

  it("reports an applied file with an edited body", () => {
    expect(problems([file(1, "a", null, { computedHash: "a2" }), b], [row(1, "a", null)])).toEqual([
      "edited 000001-x.sql a -> a2",
    ]);
  });

  it("reports an applied file whose hash was changed with the edit, but not the file after it", () => {
    expect(problems([file(1, "a2", null), b], [row(1, "a", null)])).toEqual(["edited 000001-x.sql a -> a2"]);
  });

  it("reports an edit that graphile-migrate's hash does not cover, from the ledger", () => {
    const edited = file(1, "a", null, { sha256: "other" });
    expect(problems([edited], [row(1, "a", null)])).toEqual([]);
    expect(problems([edited], [row(1, "a", null)], [entry("a")])).toEqual([
      "edited 000001-x.sql sha256:sha-of-a -> sha256:other",
    ]);
  });

  it("accepts an edited applied file with AllowInvalidHash, and says if the ledger has this edit", () => {
    const edited = file(1, "a", null, { sha256: "other", computedHash: "a2", allowInvalidHash: true });
    const accepted = (acceptedSha256: string | null) => {
      const found = compareMigrations([edited], [row(1, "a", null)], [entry("a", { acceptedSha256 })]);
      return [found.problems, found.applied[0]?.acceptedEdit];
    };
    expect(accepted(null)).toEqual([[], "not recorded"]);
    expect(accepted("an earlier edit")).toEqual([[], "not recorded"]);
    expect(accepted("other")).toEqual([[], "recorded"]);
    const asRun = compareMigrations([edited], [row(1, "a", null)], [entry("a", { sha256: "other" })]);
    expect([asRun.problems, asRun.applied[0]?.acceptedEdit]).toEqual([[], undefined]);
  });

  it("reports AllowInvalidHash on an applied file whose hash is valid, and on one whose hash was changed", () => {
    const idle = file(1, "a", null, { sha256: "other", allowInvalidHash: true });
    expect(problems([idle], [row(1, "a", null)], [entry("a")])).toEqual(["invalid-hash 000001-x.sql a -> a"]);
    const rehashed = file(1, "a2", null, { sha256: "other", computedHash: "a3", allowInvalidHash: true });
    expect(problems([rehashed], [row(1, "a", null)], [entry("a")])).toEqual(["edited 000001-x.sql a -> a2"]);
  });

  it("reports a missing file with the ledger's name, or that of the tracking table", () => {
    expect(problems([], [row(1, "a", null)], [entry("a")])).toEqual(["missing 000001-x.sql a -> null"]);
    expect(problems([], [row(1, "a", null)])).toEqual(["missing 000001.sql a -> null"]);
  });

  it("reports a renamed applied file if the ledger knows its former name", () => {
    expect(problems([a], [row(1, "a", null)], [entry("a", { filename: "000001-y.sql" })])).toEqual([
      "renamed 000001-x.sql 000001-y.sql -> 000001-x.sql",
    ]);
    expect(problems([a], [row(1, "a", null)])).toEqual([]);
  });

  it("reports an interrupted down migration, but not a completed one", () => {
    const down = (finishedAt: Date | null) => [entry("a", { direction: "down", finishedAt })];
    expect(problems([a], [row(1, "a", null)], down(null))).toEqual(["half-reverted 000001-x.sql a -> null"]);
    expect(problems([a], [], down(date))).toEqual([]);
  });

  it("reports an inserted file, which is not pending", () => {
    const status = compareMigrations(
      [a, file(2, "n", "a"), file(3, "b", "a")],
      [row(1, "a", null), row(3, "b", "a")],
      [],
    );
    expect(status.pending).toEqual([]);
    expect(status.problems).toEqual([{ kind: "inserted", filename: "000002-x.sql", expected: null, found: "n" }]);
  });

  it("reports two files in another order", () => {
    expect(
      problems([a, file(2, "c", "b"), file(3, "b", "a")], [row(1, "a", null), row(2, "b", "a"), row(3, "c", "b")]),
    ).toEqual(["reordered 000003-x.sql 000002.sql -> 000003.sql", "reordered 000002-x.sql 000003.sql -> 000002.sql"]);
  });

  it("reports a pending file with a wrong hash, or with an unnecessary AllowInvalidHash", () => {
    expect(problems([file(1, "a", null, { computedHash: "a2" })], [])).toEqual(["invalid-hash 000001-x.sql a -> a2"]);
    expect(problems([file(1, "a", null, { allowInvalidHash: true })], [])).toEqual([
      "invalid-hash 000001-x.sql a -> a",
    ]);
    expect(problems([file(1, "a", null, { allowInvalidHash: true, computedHash: "a2" })], [])).toEqual([]);
  });

  it("reports a pending file that does not follow the one before it", () => {
    expect(problems([a, c], [row(1, "a", null)])).toEqual(["broken-chain 000003-x.sql a -> b"]);
    expect(problems([b], [])).toEqual(["broken-chain 000002-x.sql null -> a"]);
  });

  it("reports a run without an end whose file does not exist, unless graphile-migrate recorded it", () => {
    const begun = entry("b", { filename: "000002-x.sql", finishedAt: null, durationMs: null });
    expect(problems([a], [row(1, "a", null)], [begun])).toEqual(["unfinished 000002-x.sql b -> null"]);
    expect(problems([a], [row(1, "a", null)], [{ ...begun, finishedAt: date }])).toEqual([]);
    expect(problems([a], [row(1, "a", null), row(2, "b", "a")], [begun])).toEqual(["missing 000002-x.sql b -> null"]);
  });

  it("marks a pending file as interrupted if a run of its former content has no end", () => {
    const begun = entry("former", { finishedAt: null, durationMs: null });
    const status = compareMigrations([a], [], [begun]);
    expect([status.pending[0]?.interrupted, status.problems]).toEqual([true, []]);
  });

  it("marks an interrupted pending file outside a transaction, unless it was reverted since", () => {
    const begun = entry("a", { finishedAt: null, durationMs: null });
    expect(compareMigrations([a], [], [begun]).pending[0]?.interrupted).toBe(true);
    expect(compareMigrations([a], [], [{ ...begun, direction: "down" }]).pending[0]?.interrupted).toBe(false);
  });
});
