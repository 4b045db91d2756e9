import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { openPsql } from "../../../../scripts/connection/psql.ts";

const connection: Connection = {
  host: "db.example",
  port: 5433,
  database: "shop",
  user: "ann",
  password: "hunter22",
  sslmode: "verify-full",
  sslrootcert: "/etc/ca.pem",
};

describe("psql", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pgw-psql-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Runs a psql that records its arguments and environment and ends with 3. Returns the record. */
  const given = async (env: NodeJS.ProcessEnv): Promise<string[]> => {
    const path = join(folder, "psql");
    await writeFile(path, `#!/bin/sh\n{ printf '%s\\n' "$@"; env; } > '${folder}/given'\nexit 3\n`);
    await chmod(path, 0o755);
    expect(await openPsql(connection, ["-c", "select 1"], { PATH: `${folder}:${process.env.PATH}`, ...env })).toBe(3);
    return (await readFile(join(folder, "given"), "utf8")).trimEnd().split("\n");
  };

  it("gets every part of the connection as libpq variables, not as arguments", async () => {
    const lines = await given({});
    expect(lines.slice(0, 2)).toEqual(["-c", "select 1"]);
    expect(lines.filter((line) => line.startsWith("PG")).sort()).toEqual([
      "PGAPPNAME=pgroundwork psql",
      "PGDATABASE=shop",
      "PGHOST=db.example",
      "PGPASSWORD=hunter22",
      "PGPORT=5433",
      "PGSSLMODE=verify-full",
      "PGSSLROOTCERT=/etc/ca.pem",
      "PGUSER=ann",
    ]);
  });

  it("does not get variables of the shell that lead elsewhere", async () => {
    const lines = await given({ PGSERVICE: "other", PGHOSTADDR: "10.0.0.1", PGSSLROOTCERT: "/tmp/other.pem" });
    expect(lines.filter((line) => /^PG(SERVICE|HOSTADDR|SSLROOTCERT)=/.test(line))).toEqual([
      "PGSSLROOTCERT=/etc/ca.pem",
    ]);
  });

  it("is reported as missing if it is not on PATH", async () => {
    await expect(openPsql(connection, [], { PATH: folder })).rejects.toMatchObject({
      message: "There is no psql on PATH.",
      exitCode: 1,
    });
  });
});
