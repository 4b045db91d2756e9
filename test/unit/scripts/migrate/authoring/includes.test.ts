import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OperationError } from "../../../../../scripts/core/operation-error.ts";
import { compileIncludes, restoreIncludes } from "../../../../../scripts/migrate/authoring/includes.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "pgw-includes-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(name: string, content: string | Buffer): Promise<void> {
  const file = path.join(folder, "fixtures", name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}

/** The texts are those of graphile-migrate 2's own tests for `compileIncludes`. */
describe("--!include", () => {
  it("inserts files of the folder fixtures where they are named, with files that these include", async () => {
    await write("dir1/foo.sql", "\n\nselect * from foo;\n");
    await write("dir3/baz.sql", "-- baz\n--!include dir4/qux.sql\n");
    await write("dir4/qux.sql", "select '$& $1' from qux;");
    const draft = "select 1;\n--!include dir1/foo.sql\n--!  include   dir3/baz.sql \nselect 2;\n";
    const { text, origins } = compileIncludes(folder, "current.sql", draft);
    expect(text).toBe(
      [
        "select 1;",
        ...["--! Included dir1/foo.sql", "select * from foo;", "--! EndIncluded dir1/foo.sql"],
        ...["--! Included dir3/baz.sql", "-- baz"],
        ...["--! Included dir4/qux.sql", "select '$& $1' from qux;", "--! EndIncluded dir4/qux.sql"],
        ...["--! EndIncluded dir3/baz.sql", "select 2;", ""],
      ].join("\n"),
    );
    expect(origins?.map(({ file, line }) => `${file}:${line}`)).toEqual([
      "current.sql:1",
      ...["current.sql:2", "fixtures/dir1/foo.sql:3", "current.sql:2"],
      ...["current.sql:3", "fixtures/dir3/baz.sql:1"],
      ...["fixtures/dir3/baz.sql:2", "fixtures/dir4/qux.sql:1", "fixtures/dir3/baz.sql:2"],
      ...["current.sql:3", "current.sql:4", "current.sql:5"],
    ]);
    expect(restoreIncludes(folder, text)).toBe(
      draft.replace("--!  include   dir3/baz.sql ", "--!include dir3/baz.sql"),
    );
  });

  it("leaves a text without includes as it is", () => {
    expect(compileIncludes(folder, "current.sql", "select 1;\r\n")).toEqual({
      text: "select 1;\r\n",
      origins: undefined,
    });
  });

  it("inserts a file that two others include twice", async () => {
    await write("a.sql", "--!include c.sql");
    await write("b.sql", "--!include c.sql");
    await write("c.sql", "select 1;");
    const { text } = compileIncludes(folder, "current.sql", "--!include a.sql\n--!include b.sql");
    expect(text.match(/select 1/g)).toHaveLength(2);
  });

  it("is restored as content if the file in fixtures has changed or is gone", async () => {
    await write("a.sql", "-- a\n--!include b.sql");
    await write("b.sql", "select 1;");
    const { text } = compileIncludes(folder, "current.sql", "--!include a.sql");
    await write("a.sql", "-- changed");
    expect(restoreIncludes(folder, text)).toBe("-- a\n--!include b.sql");
    await rm(path.join(folder, "fixtures"), { recursive: true });
    expect(restoreIncludes(folder, text)).toBe("-- a\nselect 1;");
  });

  it.each([
    ["a file that does not exist", "none.sql", "fixtures/none.sql does not exist in"],
    ["a file outside of fixtures", "../outside.sql", "../outside.sql is not inside the folder fixtures"],
    ["a link to a file outside", "link.sql", "link.sql is not inside the folder fixtures"],
    ["a folder", "folder.sql", "fixtures/folder.sql cannot be read (EISDIR)"],
    ["a file that is not UTF-8", "latin1.sql", "it is not UTF-8: byte 0xE9 at byte offset 8"],
  ])("refuses %s, with the line", async (_, name, message) => {
    await write("latin1.sql", Buffer.from("select '\u00e9'", "latin1"));
    await write("folder.sql/x", "");
    await writeFile(path.join(folder, "outside.sql"), "");
    await symlink(path.join(folder, "outside.sql"), path.join(folder, "fixtures/link.sql"));
    const error = errorOf(`select 1;\n--!include ${name}`);
    expect(error.message).toContain(message);
    expect(error.message).toMatch(/^current\.sql:2:1: /);
  });

  it("refuses a file that includes itself, with the way there", async () => {
    await write("a.sql", "--!include b/b.sql");
    await write("b/b.sql", "select 1;\n--!include a.sql");
    expect(errorOf("--!include a.sql").message).toMatch(
      /^fixtures\/b\/b\.sql:2:1: a\.sql includes itself: a\.sql -> b\/b\.sql -> a\.sql\n/,
    );
  });

  it.each(["--! Included a.sql", "--! EndIncluded a.sql", "--! Include a.sql"])(
    "refuses the line %j in a draft",
    (line) => {
      expect(errorOf(line).message).toContain("cannot be written by hand");
    },
  );
});

function errorOf(text: string): OperationError {
  try {
    compileIncludes(folder, "current.sql", text);
  } catch (error) {
    return error as OperationError;
  }
  throw new Error("nothing was refused");
}
