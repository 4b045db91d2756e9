import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exitCode, type OperationError } from "../../../../scripts/errors/operation-error.ts";
import { listSeedSets, parseSeedHeaders, readSeedSets } from "../../../../scripts/seed/seed-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "pgw-seeds-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(set: string, filename: string, text: string): Promise<void> {
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
  it("give title and logins, a password with blanks and slashes included", () => {
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

  it("are optional, and a plain comment is none", () => {
    expect(parseSeedHeaders("-- Title: no\nselect 1;")).toEqual({ title: undefined, logins: [], faults: [] });
  });

  it("that are not understood are faults, and a login's fault does not repeat its password", () => {
    expect(parseSeedHeaders("--! Title: a\n--! Title: b\n--! Login: bob hunter2\n--! Tittle: c\n").faults).toEqual([
      "it has more than one title",
      "a login is not of the form: user / password",
      'its header line "--! Tittle: c" is not understood',
    ]);
  });
});

describe("seed sets", () => {
  it("are read in the order given, files by name, other files left out", async () => {
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

  it("that do not exist are wrong usage, with those that do", async () => {
    await write("dev", "010-a.sql", "select 1;");
    const error = await errorOf(["dve"]);
    expect(error.message).toBe(`There is no seed set "dve" in ${folder}/seeds (there are: dev).`);
    expect(error.exitCode).toBe(exitCode.usage);
  });

  it("report all faults at once, a login in the set that production gets among them", async () => {
    await write("reference", "010-r.sql", "--! Login: bob / x\nselect 1;");
    await write("dev", "010-a.sql", "--! Login: bob\nselect 1;");
    expect((await errorOf(["reference", "dev"])).message).toBe(
      `Seeds in ${folder}/seeds are not valid:\n` +
        "- reference/010-r.sql: it names a login, and the set reference goes to production\n" +
        "- dev/010-a.sql: a login is not of the form: user / password",
    );
  });
});
