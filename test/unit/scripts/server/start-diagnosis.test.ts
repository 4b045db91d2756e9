import { describe, expect, it } from "vitest";
import { diagnoseStart } from "../../../../scripts/server/start-diagnosis.ts";

const place = { data: "/data", log: "/log" };
const kind = (log: string) => diagnoseStart(log, place).kind;

describe("the diagnosis of a failed start", () => {
  it.each([
    ['FATAL:  could not bind IPv4 address "127.0.0.1": Address already in use', "port-taken"],
    ['PANIC:  could not write to file "pg_wal/xlogtemp.7": No space left on device', "disk-full"],
    ['PANIC:  could not read file "global/pg_control": read 100 of 296', "damaged"],
    ["FATAL:  incorrect checksum in control file", "damaged"],
    ["PANIC:  could not locate a valid checkpoint record at 0/152A8C8", "damaged"],
    ["FATAL:  database files are incompatible with server", "damaged"],
    ['FATAL:  data directory "/data" has wrong ownership', "permissions"],
    ['FATAL:  could not create lock file "postmaster.pid": Permission denied', "permissions"],
    ['FATAL:  configuration file "/data/postgresql.conf" contains errors', "configuration"],
    ["FATAL:  could not load /data/pg_hba.conf", "unknown"],
    ["", "unknown"],
  ])("of a log that ends with %j is %s", (log, expected) => {
    expect(kind(log)).toBe(expected);
  });

  it("names the file and line of a configuration error", () => {
    const log = [
      'LOG:  unrecognized configuration parameter "shard_buffers" in file "/data/postgresql.auto.conf" line 3',
      'FATAL:  configuration file "/data/postgresql.auto.conf" contains errors',
    ].join("\n");
    expect(diagnoseStart(log, place).hint).toBe(
      "Correct line 3 of /data/postgresql.auto.conf, then run `up` again. The data was not changed.",
    );
  });

  it("never advises to delete anything, and says where to look", () => {
    for (const log of ["No space left on device", "incorrect checksum in control file", "Permission denied", ""]) {
      const { hint } = diagnoseStart(log, place);
      expect(hint).not.toMatch(/\brm\b|(?<!nothing.*)delete (the|it)/i);
      expect(hint).toMatch(/\/data|\/log/);
    }
  });
});
