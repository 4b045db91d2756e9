import { describe, expect, it } from "vitest";
import { archiveCommandError, causeIn, diagnose, UnusableBackup } from "../../../../scripts/backup/diagnosis.ts";

const at = "2026-11-21 13:20:14.781 P00 ";

describe("a pgBackRest error", () => {
  it("is reported with its cause from the warning before it", () => {
    const output = [
      `${at}  WARN: unable to check pg1: [FileMissingError] unable to open missing file '/nope/global/pg_control' for read`,
      `${at} ERROR: [027]: no database found`,
      "                                    HINT: check indexed pg-path/pg-host configurations",
    ].join("\n");
    expect(diagnose(27, output).message).toBe(
      "pgBackRest ended with 27: unable to check pg1: [FileMissingError] unable to open missing file '/nope/global/pg_control' for read",
    );
  });

  it("with a list of causes is reported with the operating system's message", () => {
    const output = [
      `${at} ERROR: [099]: unable to load info file '/r/archive.info' or '/r/archive.info.copy':`,
      "                                    FileOpenError: unable to open file '/r/archive.info' for read: [13] Permission denied",
      "                                    HINT: has a stanza-create been performed?",
    ].join("\n");
    expect(diagnose(99, output).message).toBe(
      "The backup repository cannot be written: unable to open file '/r/archive.info' for read: [13] Permission denied",
    );
  });

  it("about a damaged segment names the file and what is wrong with it", () => {
    const output = [
      `${at} ERROR: [042]: unable to get 000000010000000000000018:`,
      "                                    repo1: 17-1/0000000100000000/000000010000000000000018-73ae.zst [FormatError] zst error: [-70] x",
    ].join("\n");
    expect(causeIn(output)).toBe(
      "17-1/0000000100000000/000000010000000000000018-73ae.zst [FormatError] zst error: [-70] x",
    );
  });

  it.each([
    [29, "raised from local-2 protocol: zst error: [-20] Data corruption detected"],
    [29, "raised from local-2 protocol: block map version must be zero"],
    [26, "raised from local-1 protocol: error restoring '/r/base/5/2838': actual checksum 'a' does not match"],
    [95, "raised from local-1 protocol: unable to flush"],
    [95, "raised from local-1 protocol: cipher header invalid"],
    [42, "raised from local-2 protocol: unexpected eof"],
    [
      55,
      "raised from local-1 protocol: unable to open missing file '/r/backup/main/20261201-042430F/bundle/1' for read",
    ],
    [55, "unable to load backup manifest file: unable to open missing file '/r/20261201-042430F_20261201-042452I/x'"],
  ])("with code %i about what a backup contains says that it is damaged: %s", (code, said) => {
    const failure = diagnose(code, `${at} ERROR: [0${code}]: ${said}`);
    expect(failure).toBeInstanceOf(UnusableBackup);
    expect(failure.message).toBe(`The backup is damaged: ${said}`);
  });

  it.each([
    [50, "unable to acquire lock"],
    [42, "raised from local-2 protocol: unexpected EOF reading HTTP content"],
    [95, "raised from local-2 protocol: unable to verify certificate presented by 's3.example:443'"],
    [55, "unable to open missing file '/etc/pgroundwork/sftp.key' for read"],
    [26, "raised from local-2 protocol: unable to write '/r/20261201-042430F/bundle/1': [28] No space left on device"],
  ])("with code %i about something else does not say that the backup is unusable: %s", (code, said) => {
    expect(diagnose(code, `${at} ERROR: [0${code}]: ${said}`)).not.toBeInstanceOf(UnusableBackup);
  });

  it("about another passphrase does not show bytes of the file", () => {
    const output = [
      `${at} ERROR: [029]: unable to load info file '/var/lib/pgbackrest/archive/main/archive.info' or '….copy':`,
      "                                    FormatError: key/value found outside of section at line 1: \u0000\ufffd\u0007x",
    ].join("\n");
    expect(diagnose(29, output).message).toBe(
      "The backup repository was encrypted with a passphrase that is not this stack's.",
    );
  });

  it("of a query is reported with the server's message, without the lines of the query", () => {
    const output = [
      `${at} ERROR: [057]: unable to execute query 'select lsn::text as lsn,`,
      "                                           pg_catalog.pg_walfile_name(lsn)::text as wal_segment_name",
      "                                      from pg_catalog.pg_backup_start('pgBackRest backup started at ' || current_timestamp, true) as lsn': server closed the connection unexpectedly",
      "                                    \tThis probably means the server terminated abnormally",
      "                                    \tbefore or while processing the request.",
      "                                    invalid socket",
      `${at}  INFO: backup command end: aborted with exception [057]`,
    ].join("\n");
    expect(diagnose(57, output).text).toBe(
      "The server did not answer: server closed the connection unexpectedly\n  `npm run pgw -- status` shows its state, `npm run pgw -- logs` its log.",
    );
    for (const refusal of ["permission denied for function f", 'could not extend file "x": No space left on device'])
      expect(diagnose(57, output.replace(/server closed.*/, refusal)).message).toBe(
        `The server refused a query of pgBackRest: ${refusal}`,
      );
  });

  it("about a block that was written only in part names the full disk, which pgBackRest does not", () => {
    const output = `${at} ERROR: [064]: raised from local-2 protocol: unable to write '/var/lib/pgbackrest/backup/main/20261129-163937F/bundle/2'`;
    expect(diagnose(64, output).text).toMatch(/^The backup repository is probably full, .*bundle\/2'\n {2}Free space/);
    expect(diagnose(64, `${output}: [5] Input/output error`).message).toMatch(/^pgBackRest ended with 64: /);
  });

  it("of a server that is in recovery or ended the session says so", () => {
    const output = [
      `${at}  WARN: unable to check pg1: [DbConnectError] unable to connect: FATAL:  the database system is in recovery mode`,
      `${at} ERROR: [056]: unable to find primary cluster - cannot proceed`,
    ].join("\n");
    expect(diagnose(56, output).message).toMatch(/^The server did not answer: .*in recovery mode$/);
    expect(diagnose(101, `${at} ERROR: [101]: NULL result required to complete request`).message).toBe(
      "The server ended pgBackRest's session during a query.",
    );
  });

  it.each([
    [
      39,
      "HTTP request failed with 404 (The specified container does not exist.):",
      "The bucket or container does not ex",
    ],
    [
      39,
      "HTTP request failed with 403 (Server failed):\n x-ms-error-code: AuthorizationFailure",
      "The repository's service",
    ],
    [
      101,
      "known hosts failure: 'h' mismatch in known hosts files",
      "The host key of the SFTP server is not the expected",
    ],
    [
      101,
      "public key authentication failed: libssh2 error [-18]",
      "The SFTP server refuses the private key: public key",
    ],
    [
      47,
      "sftp error unable to create path '/x': libssh2 error [-31]: sftp error [3] permission",
      "The folder of the b",
    ],
    [64, "unable to write '/x': libssh2 error [-31]: sftp error [4] failure", "The SFTP server did not store a file"],
    [41, "unable to open '/x': libssh2 error [-31]: sftp error [15] quota", "The SFTP server did not store a file"],
    [101, "timeout during libssh2 handshake [-37]", "The backup repository does not answer: timeout"],
    [49, "unable to connect to '172.17.0.1:22': [111] Connection refused", "The backup repository does not answer: un"],
  ])("of a remote repository with code %i says what is wrong: %s", (code, said, message) => {
    const failure = diagnose(code, `${at} ERROR: [${code}]: ${said}`);
    expect(failure.message).toContain(message);
    expect(failure.hint).toBeDefined();
    expect(failure).not.toBeInstanceOf(UnusableBackup);
  });

  it("about a host key has its fingerprint as OpenSSH prints it", () => {
    const hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const said = `host [${hex}] and configured fingerprint (repo-sftp-host-fingerprint) [${"0".repeat(64)}] do not match`;
    expect(diagnose(101, `${at} ERROR: [101]: ${said}`).message).toBe(
      "The host key of the SFTP server is not the expected one: host [SHA256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8] and configured fingerprint (repo-sftp-host-fingerprint) [SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA] do not match",
    );
  });

  it("names the clock if a backup's label would be older than the newest one", () => {
    const output = [
      `${at} ERROR: [106]: new backup label '20261129-115338F' is not later than latest backup label '20270108-115319F'`,
      "                                    HINT: has the timezone changed?",
      "                                    HINT: is there clock skew?",
    ].join("\n");
    expect(diagnose(106, output).message).toBe(
      "The clock is behind the time of the newest backup, so pgBackRest makes no backup.",
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
    [
      28,
      `${at} ERROR: [028]: backup and archive info files exist but do not match the database`,
      /belongs to another cluster/,
    ],
    [28, `${at} ERROR: [028]: HINT: did an error occur during stanza-upgrade?`, /belongs to another cluster/],
    [44, `${at} ERROR: [044]: WAL file version 17 does not match stanza version 16`, /belongs to another cluster/],
    [55, `${at} ERROR: [055]: unable to load info file '/r/archive/main/archive.info'`, /repository is empty/],
    [
      55,
      `${at} ERROR: [055]: archive.info exists but backup.info is missing on repo1`,
      /The folder backup is missing from the backup repository/,
    ],
    [
      55,
      `${at} ERROR: [055]: backup.info exists but archive.info is missing on repo1`,
      /The folder archive is missing from the backup repository/,
    ],
    [
      26,
      `${at} ERROR: [026]: error restoring '/d/base/1/2': actual checksum 'aa' does not match expected checksum 'bb'`,
      /^The backup is damaged: error restoring/,
    ],
    [75, `${at} ERROR: [075]: no backup set found to restore`, /no backup to restore from/],
    [50, `${at} ERROR: [050]: unable to acquire lock on file`, /using the repository/],
  ])("%i is reported with a hint", (code, output, message) => {
    const error = diagnose(code, output);
    expect(error.message).toMatch(message);
    expect(error.hint).toBeDefined();
  });

  it("is found in a server's log as the last one, whatever follows", () => {
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
