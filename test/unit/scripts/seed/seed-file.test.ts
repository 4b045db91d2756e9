import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exitCode, type OperationError } from "../../../../scripts/core/operation-error.ts";
import { listSeedSets, parseSeedHeaders, readSeedSets } from "../../../../scripts/seed/seed-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "pgw-seeds-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(set: string, filename: string, text: string | Buffer): Promise<void> {
  await mkdir(path.join(folder, "seeds", set), { recursive: true });
  await writeFile(path.join(folder, "seeds", set, filename), text);
}

async function errorOf(sets: string[]): Promise<OperationError> {
  return readSeedSets(folder, sets).then(
    () => {
      throw new Error("no error was thrown");
    },
    (error: OperationError) => error,
  );
}

describe("seed headers", () => {
  it("give title and logins, including passwords with spaces and slashes", () => {
    const text =
      "--! Title: Users of all roles\r\n--! Login: admin@shop.test / correct horse / staple\n--!Login: bob / x\nselect 1;\n--! Title: late";
    expect(parseSeedHeaders(text)).toEqual({
      title: "Users of all roles",
      logins: [
        { user: "admin@shop.test", password: "correct horse / staple" },
        { user: "bob", password: "x" },
      ],
      faults: [],
    });
  });

  it("are optional, and plain comments are not headers", () => {
    expect(parseSeedHeaders("-- Title: no\nselect 1;")).toEqual({ title: undefined, logins: [], faults: [] });
  });

  it("are reported if they are not understood, without showing a login's password", () => {
    expect(parseSeedHeaders("--! Title: a\n--! Title: b\n--! Login: bob hunter2\n--! Tittle: c\n").faults).toEqual([
      "it has more than one title",
      "a login does not have the form: user / password",
      'its header line "--! Tittle: c" is not understood',
    ]);
  });
});

describe("seed sets", () => {
  it("refuse names in upper case and bytes that are not UTF-8, and ignore copies of editors", async () => {
    await write("dev", "010-a.SQL", "select 1;");
    await write("dev", "020-b.sql", Buffer.from("select '\u00e9';", "latin1"));
    await write("dev", "030-c.sql", "\uFEFFselect 1;");
    await write("dev", ".#040-d.sql", "select 1;");
    await write("dev", "040-d.sql~", "select 1;");
    expect((await errorOf(["dev"])).message.split("\n").slice(1)).toEqual([
      "- dev/010-a.SQL: its name must end in .sql in lower case, or it would never run",
      "- dev/020-b.sql: it is not UTF-8: byte 0xE9 at byte offset 8 (line 1); save it as UTF-8",
      "- dev/030-c.sql: it begins with a byte order mark; save it as UTF-8 without one",
    ]);
  });

  it("are read in the given order, files by name, and other files are left out", async () => {
    await write("dev", "020-b.sql", "select 1;");
    await write("dev", "010-a.sql", "--! Title: A\nselect 1;");
    await write("dev", "notes.md", "x");
    await write("reference", "010-r.sql", "select 1;");
    expect(await listSeedSets(folder)).toEqual(["dev", "reference"]);
    const files = await readSeedSets(folder, ["reference", "dev"]);
    expect(files.map((file) => `${file.set}/${file.filename} ${file.title}`)).toEqual([
      "reference/010-r.sql undefined",
      "dev/010-a.sql A",
      "dev/020-b.sql undefined",
    ]);
  });

  it("have the same checksum with CRLF as with LF, because Git may check them out with either", async () => {
    await write("dev", "010-a.sql", "select 1;\nselect 2;\n");
    await write("dev", "020-b.sql", "select 1;\r\nselect 2;\r\n");
    await write("dev", "030-c.sql", "select 1;\rselect 2;\n");
    const [lf, crlf, cr] = (await readSeedSets(folder, ["dev"])).map(({ sha256 }) => sha256);
    expect(crlf).toBe(lf);
    expect(cr).not.toBe(lf);
  });

  it("are refused as wrong usage if they do not exist, with the existing ones", async () => {
    await write("dev", "010-a.sql", "select 1;");
    const error = await errorOf(["dve"]);
    expect(error.message).toBe(`The seed set "dve" does not exist in ${folder}/seeds (there are: dev).`);
    expect(error.exitCode).toBe(exitCode.usage);
  });

  it("have all their errors reported, including a login in the production set", async () => {
    await write("reference", "010-r.sql", "--! Login: bob / x\nselect 1;");
    await write("dev", "010-a.sql", "--! Login: bob\nselect 1;");
    expect((await errorOf(["reference", "dev"])).message).toBe(
      `Seeds in ${folder}/seeds are not valid:\n` +
        "- reference/010-r.sql: it contains a login, but the set reference is for production\n" +
        "- dev/010-a.sql: a login does not have the form: user / password",
    );
  });
});
