import { describe, expect, it } from "vitest";
import { parseInfo } from "../../../../scripts/backup/info.ts";

const backup = {
  archive: { start: "000000010000000000000004", stop: "000000010000000000000005" },
  error: false,
  info: { delta: 44524790, repository: { delta: 4731792 }, size: 44524790 },
  label: "20261121-131927F",
  reference: null,
  timestamp: { start: 1795267167, stop: 1795267168 },
  type: "full",
};

function answer(code: number, message: string, changed: object = {}): string {
  const stanza = {
    archive: [{ min: "000000010000000000000001", max: "000000010000000000000009" }],
    backup: [backup],
    repo: [{ status: { code, message } }],
    status: { code, lock: { backup: { held: false } }, message },
    ...changed,
  };
  return JSON.stringify([stanza]);
}

describe("what pgBackRest tells of a repository", () => {
  it("is its backups, with what each added, and the segments that there are", () => {
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
          references: [],
          damaged: false,
        },
      ],
      underWay: false,
      fault: undefined,
      wal: { from: "000000010000000000000001", to: "000000010000000000000009" },
    });
  });

  it("is no fault where there is no backup yet, and one where the repository is gone", () => {
    const none = { backup: [], archive: [] };
    expect(parseInfo(answer(2, "no valid backups", none))).toMatchObject({ fault: undefined, wal: undefined });
    expect(parseInfo(answer(1, "missing stanza path", none)).fault?.message).toMatch(/repository is empty/);
    expect(parseInfo("[]").fault?.message).toMatch(/repository is empty/);
  });

  it("is read where it repeats bytes that are no text", () => {
    const message =
      "[FormatError] unable to load info file '/r/backup.info': key/value found outside of section: \u0001x";
    const json = answer(99, message, { backup: [] }).replace("\\u0001", "\u0001");
    expect(parseInfo(json).fault?.message).toMatch(/cannot be read with this stack's passphrase/);
  });

  it("is refused where it is something else", () => {
    expect(() => parseInfo('[{"name":"main"}]')).toThrow(/answer is not understood/);
  });
});
