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

describe("committed files against what is applied", () => {
  it("has everything pending where nothing is applied", () => {
    const status = compareMigrations([a, b], [], []);
    expect(status.pending.map((each) => each.filename)).toEqual(["000001-x.sql", "000002-x.sql"]);
    expect(status.applied).toEqual([]);
    expect(status.problems).toEqual([]);
  });

  it("tells applied from pending, with time and role from the ledger where it has the file", () => {
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

  it("finds an applied file whose body was edited", () => {
    expect(problems([file(1, "a", null, { computedHash: "a2" }), b], [row(1, "a", null)])).toEqual([
      "edited 000001-x.sql a -> a2",
    ]);
  });

  it("finds an applied file whose hash was made to fit the edit, and does not report its follower again", () => {
    expect(problems([file(1, "a2", null), b], [row(1, "a", null)])).toEqual(["edited 000001-x.sql a -> a2"]);
  });

  it("finds an edit outside graphile-migrate's hash by the ledger", () => {
    const edited = file(1, "a", null, { sha256: "other", computedHash: "a2", allowInvalidHash: true });
    expect(problems([edited], [row(1, "a", null)])).toEqual([]);
    expect(problems([edited], [row(1, "a", null)], [entry("a")])).toEqual([
      "edited 000001-x.sql sha256:sha-of-a -> sha256:other",
    ]);
  });

  it("finds a missing file by the ledger's name for it, or by the tracking table's", () => {
    expect(problems([], [row(1, "a", null)], [entry("a")])).toEqual(["missing 000001-x.sql a -> null"]);
    expect(problems([], [row(1, "a", null)])).toEqual(["missing 000001.sql a -> null"]);
  });

  it("finds an applied file that has another name, where the ledger knows its own", () => {
    expect(problems([a], [row(1, "a", null)], [entry("a", { filename: "000001-y.sql" })])).toEqual([
      "renamed 000001-x.sql 000001-y.sql -> 000001-x.sql",
    ]);
    expect(problems([a], [row(1, "a", null)])).toEqual([]);
  });

  it("finds an applied file whose way back was begun and not ended; one that ended is nothing", () => {
    const down = (finishedAt: Date | null) => [entry("a", { direction: "down", finishedAt })];
    expect(problems([a], [row(1, "a", null)], down(null))).toEqual(["half-undone 000001-x.sql a -> null"]);
    expect(problems([a], [], down(date))).toEqual([]);
  });

  it("finds an inserted file, and does not call it pending", () => {
    const status = compareMigrations(
      [a, file(2, "n", "a"), file(3, "b", "a")],
      [row(1, "a", null), row(3, "b", "a")],
      [],
    );
    expect(status.pending).toEqual([]);
    expect(status.problems).toEqual([{ kind: "inserted", filename: "000002-x.sql", expected: null, found: "n" }]);
  });

  it("finds two files that were exchanged", () => {
    expect(
      problems([a, file(2, "c", "b"), file(3, "b", "a")], [row(1, "a", null), row(2, "b", "a"), row(3, "c", "b")]),
    ).toEqual(["reordered 000003-x.sql 000002.sql -> 000003.sql", "reordered 000002-x.sql 000003.sql -> 000002.sql"]);
  });

  it("finds a pending file whose hash does not fit, and one with a permission that it does not need", () => {
    expect(problems([file(1, "a", null, { computedHash: "a2" })], [])).toEqual(["invalid-hash 000001-x.sql a -> a2"]);
    expect(problems([file(1, "a", null, { allowInvalidHash: true })], [])).toEqual([
      "invalid-hash 000001-x.sql a -> a",
    ]);
    expect(problems([file(1, "a", null, { allowInvalidHash: true, computedHash: "a2" })], [])).toEqual([]);
  });

  it("finds a pending file that does not follow the one before it", () => {
    expect(problems([a, c], [row(1, "a", null)])).toEqual(["broken-chain 000003-x.sql a -> b"]);
    expect(problems([b], [])).toEqual(["broken-chain 000002-x.sql null -> a"]);
  });

  it("marks a pending file whose run outside a transaction was begun and not ended, unless it was taken back since", () => {
    const begun = entry("a", { finishedAt: null, durationMs: null });
    expect(compareMigrations([a], [], [begun]).pending[0]?.interrupted).toBe(true);
    expect(compareMigrations([a], [], [{ ...begun, direction: "down" }]).pending[0]?.interrupted).toBe(false);
  });
});
