import { describe, expect, it } from "vitest";
import { findInLag, parseLag } from "../../../../scripts/backup/archive-lag.ts";

const now = new Date("2026-11-21T12:00:00Z");
const secondsAgo = (seconds: number) => now.getTime() / 1_000 - seconds;
const measured = (facts: Record<string, unknown>) =>
  parseLag(
    JSON.stringify({
      ...{ measuredAt: secondsAgo(20), archivedUntil: secondsAgo(20), newest: "000000010000000000000007" },
      ...{ waiting: { segments: 0, bytes: 0 }, lost: 0, problem: null, ...facts },
    }),
  );
const waiting = { segments: 3, bytes: 50_331_648 };

describe("the lag of a WAL archive", () => {
  it("is read from archive-lag", () => {
    expect(measured({ archivedUntil: secondsAgo(80), waiting })).toEqual({
      known: true,
      measuredAt: "2026-11-21T11:59:40.000Z",
      archivedUntil: "2026-11-21T11:58:40.000Z",
      lagSeconds: 60,
      newestSegment: "000000010000000000000007",
      waitingSegments: 3,
      waitingBytes: 50_331_648,
      lostSegments: 0,
      unanswered: null,
    });
  });

  it("is no problem up to 5 minutes, and wrong from there on", () => {
    expect(findInLag(measured({ archivedUntil: secondsAgo(320), waiting }), now)).toEqual([]);
    expect(findInLag(measured({ archivedUntil: secondsAgo(321), waiting }), now)).toEqual([
      {
        level: "wrong",
        text: "The WAL archive is 5 min behind the server: 3 segments wait.",
        hint: expect.stringContaining("The server keeps this WAL"),
      },
    ]);
  });

  it("names the repository, and is an upper limit if that does not answer", () => {
    const away = measured({ archivedUntil: secondsAgo(900), waiting, problem: "connection refused" });
    expect(findInLag(away, now, 2)).toMatchObject([
      {
        text: "The WAL archive in repository 2 is 15 min behind the server: at most 3 segments wait; the repository does not answer (connection refused).",
      },
    ]);
  });

  it("asks for a full backup if WAL is lost, which never arrives", () => {
    const lost = measured({ archivedUntil: secondsAgo(900), lost: 2 });
    expect(findInLag(lost, now)).toMatchObject([
      {
        text: "The WAL archive is 15 min behind the server: 0 segments wait; at least 2 at its end are lost.",
        hint: expect.stringContaining("backup create --type full"),
      },
    ]);
  });

  it("is unknown if the server's notes could not be read", () => {
    const problem = "the server's notes cannot be read: permission denied";
    const unknown = measured({ waiting: null, problem });
    expect(unknown).toEqual({ known: false, reason: problem });
    expect(findInLag(unknown, now, 1)).toEqual([
      {
        level: "unknown",
        text: `How far the WAL archive in repository 1 is behind the server is not known: ${problem}.`,
      },
    ]);
  });
});
