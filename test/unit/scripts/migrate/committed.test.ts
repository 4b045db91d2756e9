import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { getAllMigrations } from "graphile-migrate/dist/migration.js";
import type { ParsedSettings } from "graphile-migrate/dist/settings.js";
import { afterEach, describe, expect, it } from "vitest";
import { exitCode, type OperationError } from "../../../../scripts/core/operation-error.ts";
import { downFileSha256, readCommitted } from "../../../../scripts/migrate/committed.ts";
import { compareMigrations } from "../../../../scripts/migrate/status.ts";
import { chain, committedFolderOf, type TestFolder } from "./committed-folder.ts";

let made: TestFolder | undefined;
afterEach(async () => {
  await made?.remove();
  made = undefined;
});

async function folderOf(...args: Parameters<typeof committedFolderOf>): Promise<TestFolder> {
  made = await committedFolderOf(...args);
  return made;
}

const two = [
  { name: "first", body: "select 1;", headers: ["--! Message: first"] },
  { name: "", body: "--! no-transaction\ncreate index concurrently i on t (x);" },
];

describe("committed files", () => {
  it("are read in order with their headers, hashes and start of the body", async () => {
    const { folder, migrations } = await folderOf(two);
    const files = await readCommitted(folder);
    expect(
      files.map(({ filename, trackingName, message, transactional }) => ({
        filename,
        trackingName,
        message,
        transactional,
      })),
    ).toEqual([
      { filename: "000001-first.sql", trackingName: "000001.sql", message: "first", transactional: true },
      { filename: "000002.sql", trackingName: "000002.sql", message: undefined, transactional: false },
    ]);
    expect(files.map((file) => file.previousHash)).toEqual([null, migrations[0]?.hash]);
    expect(files.map((file) => file.computedHash)).toEqual(migrations.map((each) => each.hash));
    expect(files.map((file) => file.text.slice(file.bodyStart))).toEqual([
      "select 1;\n",
      "--! no-transaction\ncreate index concurrently i on t (x);\n",
    ]);
  });

  it("are none in a folder without committed/, which is not created", async () => {
    const { folder } = await folderOf([]);
    await rm(path.join(folder, "committed"), { recursive: true });
    expect(await readCommitted(folder)).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });

  it("do not include down files and other files", async () => {
    const { folder, write } = await folderOf(two);
    await write("000001-first.down.sql", "select 1;");
    await write("README.md", "# notes");
    expect((await readCommitted(folder)).map((file) => file.filename)).toEqual(["000001-first.sql", "000002.sql"]);
    expect(await downFileSha256(folder, "000001-first.sql")).toBe(
      "354b7196c9ba5fb4b21cf615bb6ec4cd5c07503c34229feef033fc081a8c03f4",
    );
    expect(await downFileSha256(folder, "000002.sql")).toBeNull();
  });

  it("whose name is not that of a migration are refused, and copies of editors are ignored", async () => {
    const { folder, write } = await folderOf(two);
    const ignored = [
      "x.sql~",
      ".#x.sql",
      ".000003-x.sql.swp",
      "000003-x.sql.orig",
      "#x.sql#",
      "000003-x.txt",
      "LICENSE",
      "000003-gone.down.sql",
    ];
    for (const name of ignored) await write(name, "select 1;");
    await mkdir(path.join(folder, "committed", "archive"));
    expect((await readCommitted(folder)).map((file) => file.filename)).toEqual(["000001-first.sql", "000002.sql"]);
    const misnamed = [
      ...["000003-add.v2.sql", "000003-add.SQL", "000003_add.sql", "add.sql", "000003-ä.sql", "000003-add.sql "],
      ...["000003-add", "000003-add.psql", "000001-first.down.SQL", "000001-first.v2.down.sql"],
    ];
    for (const name of misnamed) await write(name, "select 1;");
    await write("2-again.sql", chain(two)[1]?.text ?? "");
    await mkdir(path.join(folder, "committed", "000009-folder.sql"));
    await symlink("nowhere", path.join(folder, "committed", "000010-link.sql"));
    const error = (await readCommitted(folder).catch((caught: unknown) => caught)) as OperationError;
    expect(error.exitCode).toBe(exitCode.wrong);
    expect(
      error.message
        .split("\n")
        .slice(1)
        .map((line) => line.replace(/its name is not .*/, "misnamed")),
    ).toEqual(
      [
        ...misnamed.map((name) => `- ${name}: misnamed`),
        "- 000002.sql, 2-again.sql: they have the same number",
        "- 000009-folder.sql: it is not a file",
        "- 000010-link.sql: it cannot be read (ENOENT)",
      ].sort(),
    );
  });

  it("in another format are all reported in one error", async () => {
    const { folder, write } = await folderOf(two);
    await write("000003-plain.sql", "select 1;\n");
    await write("000004-hash.sql", "--! Previous: -\n\nselect 1;\n");
    await write("000005-blank.sql", "--! Previous: -\n--! Hash: sha1:0\nselect 1;\n");
    await write("000006-crlf.sql", "--! Previous: -\r\n--! Hash: sha1:0\r\n\r\nselect 1;\r\n");
    await write("000007-bom.sql", "\uFEFF--! Previous: -\n--! Hash: sha1:0\n\nselect 1;\n");
    await write("000008-a.sql", "--! Previous: -\n--! Hash: sha1:0\n--! Hash: sha1:0\n\nselect 1;\n");
    await write("000002-again.sql", "--! Previous: -\n--! Hash: sha1:0\n\nselect 1;\n");
    const error = (await readCommitted(folder).catch((caught: unknown) => caught)) as OperationError;
    expect(error.exitCode).toBe(exitCode.wrong);
    expect(error.message.split("\n")).toEqual([
      `${folder}/committed has files that are not in graphile-migrate's format:`,
      "- 000002-again.sql, 000002.sql: they have the same number",
      "- 000003-plain.sql: it does not begin with the header lines --! Previous: and --! Hash:",
      "- 000004-hash.sql: it has no --! Hash: header",
      "- 000005-blank.sql: there should be two newlines after the headers section",
      "- 000006-crlf.sql: its header lines end in CRLF; they must end in LF (with Git: *.sql text eol=lf)",
      "- 000007-bom.sql: it begins with a byte order mark; save it as UTF-8 without one",
      "- 000008-a.sql: header 'Hash' is specified more than once",
    ]);
  });

  const [first] = chain(two);
  const text = first?.text ?? "";
  const crlfBody = chain([{ name: "first", body: "select 1;\r\nselect 2;\r\n" }])[0]?.text ?? "";
  it.each<[string, string]>([
    ["as committed", text],
    ["CRLF in the body, LF in the headers", crlfBody],
    ["CRLF throughout", text.replaceAll("\n", "\r\n")],
    ["a byte order mark", `\uFEFF${text}`],
    ["a byte order mark in front of the body", text.replace("\n\nselect", "\n\n\uFEFFselect")],
    ["blank lines around the body", `${text.replace("\n\n", "\n\n\n\n")}\n\n`],
    ["no blank line after the headers", text.replace("\n\n", "\n")],
    ["an unknown header", text.replace("\n\n", "\n--! Included: x.sql\n\n")],
    ["a changed body", text.replace("select 1", "select 2")],
    [
      "a changed body with AllowInvalidHash",
      text.replace("\n\n", "\n--! AllowInvalidHash\n\n").replace("select 1", "select 2"),
    ],
    ["a valid hash with AllowInvalidHash", text.replace("\n\n", "\n--! AllowInvalidHash\n\n")],
    ["no body", text.slice(0, text.indexOf("\n\n"))],
    ["a previous hash that does not exist", text.replace("Previous: -", "Previous: sha1:00")],
  ])("with %s are accepted if graphile-migrate accepts them, and refused otherwise", async (_, content) => {
    const { folder } = await folderOf([]);
    await writeFile(path.join(folder, "committed", "000001-first.sql"), content);
    const theirs = await graphileAccepts(folder);
    const ours = await readCommitted(folder).then(
      (files) => compareMigrations(files, [], []).problems.length === 0,
      () => false,
    );
    expect(ours).toBe(theirs);
  });
});

/** Does the checks of graphile-migrate's `migrate` before it runs a file. */
async function graphileAccepts(folder: string): Promise<boolean> {
  const { calculateHash } = await import("graphile-migrate/dist/hash.js");
  try {
    const all = await getAllMigrations({ migrationsFolder: folder } as ParsedSettings);
    return all.every((each) => (calculateHash(each.body, each.previousHash) === each.hash) !== each.allowInvalidHash);
  } catch {
    return false;
  }
}
