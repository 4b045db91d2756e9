import { describe, expect, it } from "vitest";
import { archiveCommandError, diagnose } from "../../../../scripts/backup/diagnosis.ts";

const at = "2026-11-21 13:20:14.781 P00 ";

describe("what pgBackRest says when something is wrong", () => {
  it("is told with its cause, which stands in the warning before the error", () => {
    const output = [
      `${at}  WARN: unable to check pg1: [FileMissingError] unable to open missing file '/nope/global/pg_control' for read`,
      `${at} ERROR: [027]: no database found`,
      "                                    HINT: check indexed pg-path/pg-host configurations",
    ].join("\n");
    expect(diagnose(27, output).message).toBe(
      "pgBackRest ended with 27: unable to check pg1: [FileMissingError] unable to open missing file '/nope/global/pg_control' for read",
    );
  });

  it("in a list of its own is told with what the operating system said", () => {
    const output = [
      `${at} ERROR: [099]: unable to load info file '/r/archive.info' or '/r/archive.info.copy':`,
      "                                    FileOpenError: unable to open file '/r/archive.info' for read: [13] Permission denied",
      "                                    HINT: has a stanza-create been performed?",
    ].join("\n");
    expect(diagnose(99, output).message).toBe(
      "The backup repository cannot be written: unable to open file '/r/archive.info' for read: [13] Permission denied",
    );
  });

  it("of another passphrase shows nothing of what was made of the file", () => {
    const output = [
      `${at} ERROR: [029]: unable to load info file '/var/lib/pgbackrest/archive/main/archive.info' or '….copy':`,
      "                                    FormatError: key/value found outside of section at line 1: \u0000\ufffd\u0007x",
    ].join("\n");
    expect(diagnose(29, output).message).toBe(
      "The backup repository cannot be read with this stack's passphrase: it was made with another one.",
    );
  });

  it.each([
    [
      39,
      `${at} ERROR: [039]: unable to write '/var/lib/pgbackrest/x': [28] No space left on device`,
      /^The backup repository is full: /,
    ],
    [
      47,
      `${at} ERROR: [047]: unable to create path '/tmp/ro/x': [13] Permission denied`,
      /^The backup repository cannot be written: /,
    ],
    [28, `${at} ERROR: [028]: backup and archive info files exist but do not match the database`, /another cluster's/],
    [55, `${at} ERROR: [055]: unable to load info file '/r/archive/main/archive.info'`, /repository is empty/],
    [75, `${at} ERROR: [075]: no backup set found to restore`, /no backup to restore from/],
    [50, `${at} ERROR: [050]: unable to acquire lock on file`, /at work on the repository/],
  ])("%i is told with what to do", (code, output, message) => {
    const error = diagnose(code, output);
    expect(error.message).toMatch(message);
    expect(error.remedy).toBeDefined();
  });

  it("is found in a server's log, the last of it, whatever follows", () => {
    const log = [
      `${at} ERROR: [104]: raised from local-1 protocol: archive-push command encountered error(s):`,
      "                                    repo1: [PathOpenError] unable to list file info for path '/r/17-1': [13] Permission denied",
      "2026-11-21 13:20:53.897 GMT [45] LOG:  archive command failed with exit code 104",
    ].join("\n");
    expect(archiveCommandError(log)?.message).toBe(
      "The backup repository cannot be written: unable to list file info for path '/r/17-1': [13] Permission denied",
    );
    expect(archiveCommandError("2026-11-21 13:20:53.897 GMT [45] LOG:  checkpoint complete")).toBeUndefined();
  });
});
