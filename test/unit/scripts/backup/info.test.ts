import { describe, expect, it } from "vitest";
import { parseInfo } from "../../../../scripts/backup/info.ts";

const backup = {
  archive: { start: "000000010000000000000004", stop: "000000010000000000000005" },
  error: false,
  info: { delta: 44524790, repository: { delta: 4731792 }, size: 44524790 },
  database: { id: 1 },
  label: "20261121-131927F",
  lsn: { start: "0/4000028", stop: "0/5000050" },
  reference: null,
  timestamp: { start: 1795267167, stop: 1795267168 },
  type: "full",
};

function answer(code: number, message: string, changed: object = {}): string {
  const stanza = {
    archive: [{ id: "17-1", database: { id: 1 }, min: "000000010000000000000001", max: "000000010000000000000009" }],
    backup: [backup],
    repo: [{ status: { code, message } }],
    status: { code, lock: { backup: { held: false } }, message },
    ...changed,
  };
  return JSON.stringify([stanza]);
}

describe("the output of pgbackrest info", () => {
  it("lists the backups, what each one added, and the archived segments", () => {
    expect(parseInfo(answer(0, "ok"))).toEqual({
      backups: [
        {
          label: "20261121-131927F",
          type: "full",
          startedAt: "2026-11-21T13:19:27.000Z",
          finishedAt: "2026-11-21T13:19:28.000Z",
          size: 44524790,
          repositoryDelta: 4731792,
          wal: { from: "000000010000000000000004", to: "000000010000000000000005" },
          lsn: { from: "0/4000028", to: "0/5000050" },
          archiveId: "17-1",
          references: [],
          damaged: false,
          origin: { image: null, postgres: null, commit: null, isModified: false, user: null },
        },
      ],
      underWay: false,
      fault: undefined,
      wal: { from: "000000010000000000000001", to: "000000010000000000000009" },
    });
  });

  it("has the image and the requester of a backup that is annotated with them", () => {
    const annotation = {
      ...{ "pgroundwork-image": "sha256:0123", "pgroundwork-postgres": "17.11", "pgroundwork-user": "anna@laptop" },
      ...{ "pgroundwork-commit": "89ab", "pgroundwork-modified": "true", other: "x" },
    };
    expect(parseInfo(answer(0, "ok", { backup: [{ ...backup, annotation }] })).backups[0]?.origin).toEqual({
      ...{ image: "sha256:0123", postgres: "17.11", user: "anna@laptop", commit: "89ab", isModified: true },
    });
  });

  it("has no error without backups, but one without a repository", () => {
    const none = { backup: [], archive: [] };
    expect(parseInfo(answer(2, "no valid backups", none))).toMatchObject({ fault: undefined, wal: undefined });
    expect(parseInfo(answer(1, "missing stanza path", none)).fault?.message).toMatch(/repository is empty/);
    expect(parseInfo("[]").fault?.message).toMatch(/repository is empty/);
  });

  it("is accepted if it contains binary characters", () => {
    const message =
      "[FormatError] unable to load info file '/r/backup.info': key/value found outside of section: \u0001x";
    const json = answer(99, message, { backup: [] }).replace("\\u0001", "\u0001");
    expect(parseInfo(json).fault?.message).toMatch(/encrypted with a passphrase that is not this stack's/);
  });

  it("is refused in another form", () => {
    expect(() => parseInfo('[{"name":"main"}]')).toThrow(/unexpected format/);
  });
});
