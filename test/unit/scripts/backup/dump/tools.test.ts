import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findLocalTools } from "../../../../../scripts/backup/dump/local-tools.ts";
import { databaseOption, passwordFile } from "../../../../../scripts/backup/dump/program-environment.ts";
import { firstError } from "../../../../../scripts/backup/dump/programs.ts";
import { withDumpTools } from "../../../../../scripts/backup/dump/tools.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pgw-tools-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Version that no machine has programs of. */
const major = 99;

async function putProgram(version: string): Promise<NodeJS.ProcessEnv> {
  const path = join(folder, "pg_dump");
  await writeFile(path, `#!/bin/sh\necho 'pg_dump (PostgreSQL) ${version}'\n`);
  await chmod(path, 0o755);
  return { PATH: `${folder}:/usr/bin:/bin` };
}

describe("PostgreSQL's programs on this machine", () => {
  it("are used if they have the server's major version", async () => {
    const found = await findLocalTools(major, await putProgram("99.3 (Debian 99.3-1)"));
    expect(found).toMatchObject({ found: true, tools: { version: "99.3", location: folder } });
  });

  it("are refused in another version, with the version and the path, if there is no Docker engine", async () => {
    const env = await putProgram("15.18");
    const tried = withDumpTools({ major, docker: undefined, env }, async () => "used");
    await expect(tried).rejects.toThrow(
      `The server is PostgreSQL 99, and no pg_dump of version 99 was found: ${folder}/pg_dump is version 15.18; no Docker engine is configured.`,
    );
  });

  it("are refused if only the kit's image of another version could be used", async () => {
    const docker = { owner: { project: "p", stack: "s", owner: "o" } };
    const tried = withDumpTools({ major, docker, env: { PATH: folder } }, async () => "used");
    await expect(tried).rejects.toThrow("PATH has no pg_dump; pgroundwork's image has version 17.");
  });
});

describe("the first error of a program", () => {
  it.each([
    ["pg_dump: error: query failed: no\npg_dump: detail: x", "query failed: no"],
    [
      'psql:<stdin>:12: ERROR:  type "kind" does not exist\nLINE 1: declare k kind\n                  ^\nQUERY:  select\nCONTEXT:  function f\nother',
      'ERROR:  type "kind" does not exist\nLINE 1: declare k kind\n                  ^\nQUERY:  select\nCONTEXT:  function f',
    ],
    [
      "warning: a\npg_restore: error: could not execute query: ERROR:  b\nCommand was: c",
      "could not execute query: ERROR:  b\nCommand was: c",
    ],
    ["", ""],
  ])("is found with the lines that belong to it: %#", (output, error) => {
    expect(firstError(output)).toBe(error);
  });
});

describe("a connection of a program", () => {
  it("quotes what libpq reads", () => {
    expect(passwordFile({ host: "h", port: 1, user: "u", database: "d", sslmode: "disable", password: "a:b\\c" })).toBe(
      "*:*:*:*:a\\:b\\\\c\n",
    );
    expect(databaseOption("it's a=b")).toBe("--dbname=dbname='it\\'s a=b'");
  });
});
