import { describe, expect, it } from "vitest";
import { type LintOptions, lintFiles } from "../../../../../scripts/migrate/lint/lint.ts";
import type { LintedFile } from "../../../../../scripts/migrate/lint/raw-findings.ts";
import type { TableState } from "../../../../../scripts/migrate/lint/scope.ts";

function file(filename: string, body: string, transactional = true): LintedFile {
  const header = "--! Previous: -\n--! Hash: sha1:0\n\n";
  return { filename, text: `${header}${body}\n`, bodyStart: header.length, transactional };
}

/** Returns the findings of one body as `line:column level rule`. */
async function findingsOf(body: string, options?: LintOptions): Promise<string[]> {
  const { findings } = await lintFiles([file("000001-a.sql", body)], options);
  return findings.map(({ line, column, level, rule }) => `${line}:${column} ${level} ${rule}`);
}

const withState = (states: Record<string, TableState>): LintOptions => ({
  tableStates: async (names) => new Map(names.map((name) => [name, states[name] ?? "absent"])),
});

describe("lint findings", () => {
  it("have the position in the whole file, rule, level, message and hint", async () => {
    const { findings } = await lintFiles([file("000007-index.sql", "\n/* äöü😀 */ create index on orders (a);")]);
    expect(findings).toEqual([
      {
        file: "000007-index.sql",
        line: 5,
        column: 12,
        rule: "require-concurrent-index-creation",
        level: "error",
        message: "During normal index creation, table updates are blocked, but reads are still allowed.",
        help: "Use `concurrently` to avoid blocking writes.",
      },
    ]);
  });

  it.each([
    ["alter table orders add column a int not null;", "4:20 error adding-required-field"],
    ["alter table orders add column a uuid default gen_random_uuid();", "4:46 error adding-field-with-default"],
    ["alter table orders alter column a set not null;", "4:35 error adding-not-nullable-field"],
    ["alter table orders alter column a type text;", "4:35 error changing-column-type"],
    ["alter table orders add constraint c check (a > 0);", "4:20 error constraint-missing-not-valid"],
    ["alter table orders drop column a;", "4:20 error ban-drop-column"],
    ["drop table orders;", "4:1 error ban-drop-table"],
    ["drop index a;", "4:1 error require-concurrent-index-deletion"],
    ["alter table orders rename column a to b;", "4:20 error renaming-column"],
    ["alter table orders rename to b;", "4:20 error renaming-table"],
    ["begin; commit;", "4:1 error transaction-nesting"],
    ["create table a (at timestamp);", "4:20 warning prefer-timestamp-tz"],
  ])("%s", async (body, finding) => {
    expect(await findingsOf(body)).toContain(finding);
  });

  it("about a concurrent build appear only in files that run in a transaction", async () => {
    const body = "create index concurrently a on orders (a);";
    expect(await findingsOf(`select 1;\n${body}`)).toEqual(["5:14 error ban-concurrent-index-creation-in-transaction"]);
    expect((await lintFiles([file("000001-a.sql", `--! no-transaction\n${body}`, false)])).findings).toEqual([]);
  });

  it("do not appear for correct statements, placeholders and casts", async () => {
    expect(
      await findingsOf(
        "grant connect on database :DATABASE_NAME to :DATABASE_OWNER; select '1'::TEXT, (array[1, 2])[1:2];",
      ),
    ).toEqual([]);
  });

  it("appear for a foreign key without NOT VALID", async () => {
    expect(await findingsOf("alter table a add constraint b foreign key (c) references d, add check (e > 0);")).toEqual(
      ["4:19 error adding-foreign-key-constraint", "4:62 error constraint-missing-not-valid"],
    );
  });

  it("of other statements appear even if squawk cannot read one", async () => {
    const body = `set time zone interval '1' hour;
      alter table orders drop column a;`;
    const { findings } = await lintFiles([file("000001-a.sql", body)]);
    expect(findings.map(({ line, level, rule }) => `${line} ${level} ${rule}`)).toEqual([
      "4 error not-judged",
      "5 error ban-drop-column",
    ]);
    expect(findings[0]?.message).toMatch(/^squawk cannot parse this statement \(.+\), so it was not checked\.$/);
  });

  it("show a syntax error in the server's words", async () => {
    const { findings } = await lintFiles([file("000001-a.sql", "select 1;\nalter tabel orders drop column a;")]);
    expect(findings).toMatchObject([
      { line: 5, column: 7, rule: "syntax-error", level: "error", message: 'syntax error at or near "tabel"' },
    ]);
  });
});

describe("lint rules about rows", () => {
  const index = "create index on orders (a);";
  it("apply to tables with rows, but not to empty ones", async () => {
    expect(await findingsOf(index, withState({ orders: "rows" }))).toHaveLength(1);
    expect(await findingsOf(index, withState({ orders: "empty" }))).toEqual([]);
  });

  it("do not apply to tables that an earlier file of the same run creates", async () => {
    const made = file("000001-a.sql", "create table public.orders (a text);");
    const { findings } = await lintFiles([made, file("000002-b.sql", `${index}\ncreate index on others (a);`)]);
    expect(findings.map(({ file: name, line }) => `${name}:${line}`)).toEqual(["000002-b.sql:5"]);
  });

  it("apply to an existing table even if a file creates it if not exists", async () => {
    const body = `create table if not exists orders (a text);\nalter table orders alter column a set not null;`;
    expect(await findingsOf(body, withState({ orders: "rows" }))).toEqual(["5:35 error adding-not-nullable-field"]);
  });

  it("apply to a table that the file renames", async () => {
    const body = `-- squawk-ignore renaming-table: nobody uses it\nalter table orders rename to sales;\ncreate index on sales (a);`;
    expect(await findingsOf(body, withState({ orders: "rows" }))).toEqual([
      "6:1 error require-concurrent-index-creation",
    ]);
  });
});

describe("lint rules about applications", () => {
  it("apply to empty tables, but not to those that the same run creates", async () => {
    const drop = "alter table orders drop column a;";
    expect(await findingsOf(drop, withState({ orders: "empty" }))).toEqual(["4:20 error ban-drop-column"]);
    const made = file("000001-a.sql", "create table orders (a text);");
    expect((await lintFiles([made, file("000002-b.sql", drop)])).findings).toEqual([]);
  });
});

describe("a lint exception", () => {
  const drop = "alter table orders drop column a;";

  it("with a reason accepts a finding of its statement, and is reported", async () => {
    const body = `-- squawk-ignore ban-drop-column: moved to profile: 000012\n${drop}`;
    const report = await lintFiles([file("000001-a.sql", body)]);
    expect(report.findings).toEqual([]);
    expect(report.exceptions).toMatchObject([{ line: 5, rule: "ban-drop-column", reason: "moved to profile: 000012" }]);
  });

  it("applies to one statement", async () => {
    expect(await findingsOf(`-- squawk-ignore ban-drop-column: moved\n${drop}\n${drop}`)).toEqual([
      "6:20 error ban-drop-column",
    ]);
  });

  it("can stand inside its statement, or apply to the whole file", async () => {
    expect(await findingsOf("alter table orders\n  -- squawk-ignore ban-drop-column: moved\n  drop column a;")).toEqual(
      [],
    );
    expect(await findingsOf(`${drop}\n${drop}\n-- squawk-ignore-file ban-drop-column: moved`)).toEqual([]);
  });

  it("can be a block comment", async () => {
    expect(await findingsOf(`/* squawk-ignore ban-drop-column: moved */ ${drop}`)).toEqual([]);
  });

  it.each([`/* squawk-ignore ban-drop-column */ ${drop}`, `/* squawk-ignore-file ban-drop-column */\n${drop}`])(
    "in a block comment without a reason accepts nothing: %s",
    async (body) => {
      expect(await findingsOf(body)).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/error ban-drop-column$/),
          expect.stringMatching(/error exception-without-reason$/),
        ]),
      );
    },
  );

  it("cannot be written with other squawk comments", async () => {
    const body = "-- squawk-disable-assume-in-transaction\ncreate index concurrently a on orders (a);";
    expect(await findingsOf(body)).toEqual(["5:14 error ban-concurrent-index-creation-in-transaction"]);
  });

  it("without a reason accepts nothing and is reported", async () => {
    expect(await findingsOf(`-- squawk-ignore ban-drop-column\n${drop}`)).toEqual([
      "5:20 error ban-drop-column",
      "4:1 error exception-without-reason",
    ]);
  });

  it("without a rule is reported", async () => {
    expect(await findingsOf(`-- squawk-ignore-file: old file\n${drop}`)).toEqual([
      "5:20 error ban-drop-column",
      "4:1 error exception-without-rule",
    ]);
  });

  it("that accepts nothing is reported", async () => {
    expect(await findingsOf(`-- squawk-ignore ban-drop-table, ban-drop-column: moved\n${drop}`)).toEqual([
      "4:1 warning unused-exception",
    ]);
  });

  it("of a rule about rows counts as used even if the table is empty", async () => {
    const body = "-- squawk-ignore require-concurrent-index-creation: small\ncreate index on orders (a);";
    expect(await findingsOf(body, withState({ orders: "empty" }))).toEqual([]);
  });
});
