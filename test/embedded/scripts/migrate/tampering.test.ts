import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { exitCode } from "../../../../scripts/core/operation-error.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { readStatus, verifyMigrations } from "../../../../scripts/migrate/verify.ts";
import { chain, type Draft } from "../../../unit/scripts/migrate/committed-folder.ts";
import { databasePerTest, errorOf } from "./database-per-test.ts";
import { graphileCli } from "./processes.ts";
import { drafts, tamperings } from "./tampering-cases.ts";

const test = databasePerTest();
const { folderOf, query } = test;
let connection: Connection;
beforeEach(() => {
  connection = test.connection;
});

const one: Draft = { name: "one", body: "create table one (id int primary key);" };

describe("a folder that does not match what is applied", () => {
  it("is refused with every problem by name and both hashes, and nothing runs", async () => {
    const { folder, migrations, write } = await folderOf([
      one,
      { name: "two", body: "insert into one values (1);" },
      { name: "three", body: "create table three ();" },
    ]);
    await applyMigrations({ connection, folder });
    const [first, second, third] = migrations;
    const text = (first?.text ?? "").replace("primary key", "primary kex");
    await write("000001-one.sql", text);
    await rm(path.join(folder, "committed", "000002-two.sql"));
    const [added] = chain([{ name: "added", body: "create table added ();" }], 0);
    await write("000000-added.sql", added?.text ?? "");
    const [next] = chain([{ name: "next", body: "create table next ();" }], 4, third?.hash);
    await write("000004-next.sql", next?.text ?? "");
    const error = await errorOf(applyMigrations({ connection, folder }));
    expect(error.exitCode).toBe(exitCode.wrong);
    expect(error.message.split("\n")).toEqual([
      "The committed migrations do not match the applied ones:",
      expect.stringMatching(
        new RegExp(
          `^- 000001-one\\.sql was edited after it was applied: applied ${first?.hash}, now sha1:[0-9a-f]{40}$`,
        ),
      ),
      `- 000002-two.sql is applied (${second?.hash}), but its file is missing`,
      `- 000000-added.sql (${added?.hash}) is not applied, but comes before files that are`,
    ]);
    expect(await query("select to_regclass('next') as next, to_regclass('added') as added")).toEqual([
      { next: null, added: null },
    ]);
  });

  it.each(tamperings)(
    "is refused, nothing runs, and nothing is recorded: $name",
    async ({ tamper, says, readable }) => {
      const made = await folderOf(drafts);
      const { folder, migrations } = made;
      await applyMigrations({ connection, folder, to: "3" });
      const records = () =>
        query("select * from graphile_migrate.migrations, pgroundwork.migration_ledger order by 1, 5");
      const before = await records();
      await tamper(made);
      const error = await errorOf(applyMigrations({ connection, folder }));
      expect(error.exitCode).toBe(exitCode.wrong);
      const [heading, ...lines] = error.message.split("\n");
      expect(heading).toBe(
        readable === false
          ? `${folder}/committed has files that are not in graphile-migrate's format:`
          : "The committed migrations do not match the applied ones:",
      );
      expect(lines).toEqual(says(migrations.map(({ hash }) => hash)).map(pattern));
      expect((await errorOf(verifyMigrations(connection, folder))).message).toBe(error.message);
      expect(await records()).toEqual(before);
      expect(await query("select to_regclass('four') as four, to_regclass('zero') as zero")).toEqual([
        { four: null, zero: null },
      ]);
    },
  );

  it("runs if every problem is allowed by name, and not otherwise", async () => {
    const made = await folderOf(drafts);
    await applyMigrations({ connection, folder: made.folder, to: "3" });
    const several = tamperings.find(({ name }) => name === "several of these at once");
    await several?.tamper(made);
    const apply = (...allow: string[]) => applyMigrations({ connection, folder: made.folder, allow });
    expect((await errorOf(apply("000001-one.sql", "000002-two.sql"))).message.split("\n").slice(1)).toEqual([
      expect.stringMatching(/^- 000003-three\.sql was edited/),
    ]);
    expect((await apply("000001-one.sql", "000002-two.sql", "000003-three.sql")).applied).toHaveLength(1);
  });
});

describe("an applied file with AllowInvalidHash", () => {
  it("may be edited, and each edit is recorded once and does not run", async () => {
    const { folder, write, migrations } = await folderOf([one]);
    await applyMigrations({ connection, folder });
    // The ledger of an earlier version knows fewer outcomes.
    await query(
      "alter table pgroundwork.migration_ledger drop constraint migration_ledger_outcome, add constraint migration_ledger_outcome check (outcome in ('baseline', 'failed'))",
    );
    const edit = (to: string) =>
      write(
        "000001-one.sql",
        (migrations[0]?.text ?? "").replace("\n\n", "\n--! AllowInvalidHash\n\n").replace("int primary", to),
      );
    const accepted = async () => {
      const status = await readStatus(connection, folder);
      expect(status).toMatchObject({ known: true, pending: [], problems: [] });
      return status.known ? status.applied[0]?.acceptedEdit : undefined;
    };
    await edit("bigint primary");
    expect(await accepted()).toBe("not recorded");
    const events: string[] = [];
    for (const to of ["bigint primary", "bigint primary", "numeric primary"]) {
      await edit(to);
      const onEvent = ({ kind }: { kind: string }) => events.push(kind);
      expect((await applyMigrations({ connection, folder, onEvent })).applied).toEqual([]);
      expect(await accepted()).toBe("recorded");
    }
    expect(events).toEqual(["edit-recorded", "edit-recorded"]);
    const rows = await query<{ outcome: string | null; differs: boolean }>(
      "select outcome, sha256 <> first_value(sha256) over (order by id) as differs from pgroundwork.migration_ledger order by id",
    );
    expect(rows).toEqual([
      { outcome: null, differs: false },
      { outcome: "accepted", differs: true },
      { outcome: "accepted", differs: true },
    ]);
    // The edit does not run, and the time and role of the run stay known.
    expect(
      await query(
        "select atttypid::regtype::text as type from pg_attribute where attrelid = 'one'::regclass and attnum = 1",
      ),
    ).toEqual([{ type: "integer" }]);
    const status = await readStatus(connection, folder);
    expect(status.known && status.applied[0]?.durationMs).toBeGreaterThan(0);
  });
});

describe("a folder that graphile-migrate accepts", () => {
  const accepted: [string, string][] = [
    ["CRLF in a body", "create table x (\r\n  id int\r\n);\r\n"],
    ["CRLF in a body outside a transaction", "--! no-transaction\r\ncreate index concurrently on base (id);\r\n"],
    ["a byte order mark before a body", "\uFEFFcreate table x (id int);"],
  ];
  it.each(accepted)("is applied and stays accepted: %s", async (_, body) => {
    const { folder } = await folderOf([
      { name: "base", body: "create table base (id int);" },
      { name: "x", body },
    ]);
    await writeFile(path.join(folder, ".gmrc"), JSON.stringify({ migrationsFolder: "." }));
    expect((await applyMigrations({ connection, folder })).applied).toHaveLength(2);
    expect(await readStatus(connection, folder)).toMatchObject({ pending: [], problems: [] });
    expect(await graphileCli(connection, folder, ["migrate"])).toMatchObject({
      code: 0,
      output: expect.stringContaining("Already up to date"),
    });
  });

  it("may have a gap in its numbers if the hashes follow each other", async () => {
    const { folder, write, migrations } = await folderOf([one]);
    const [next] = chain([{ name: "next", body: "create table next ();" }], 7, migrations[0]?.hash);
    await write("000007-next.sql", next?.text ?? "");
    expect((await applyMigrations({ connection, folder })).applied).toHaveLength(2);
  });
});

/** Converts an expected line to a pattern if it contains a placeholder for a hash. */
function pattern(line: string): unknown {
  if (!/HASH|SHA256/.test(line)) return line;
  const escaped = line.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const source = escaped.replaceAll("SHA256", "[0-9a-f]{64}").replaceAll("HASH", "sha1:[0-9a-f]{40}");
  return expect.stringMatching(new RegExp(`^${source}$`));
}
