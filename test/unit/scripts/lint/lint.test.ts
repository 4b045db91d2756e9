import { describe, expect, it } from "vitest";
import type { LintedFile } from "../../../../scripts/lint/judge.ts";
import { type LintOptions, lintFiles, type TableState } from "../../../../scripts/lint/lint.ts";

function file(filename: string, body: string, transactional = true): LintedFile {
  const header = "--! Previous: -\n--! Hash: sha1:0\n\n";
  return { filename, text: `${header}${body}\n`, bodyStart: header.length, transactional };
}

/** Findings of one body as `line:column level rule`. */
async function findingsOf(body: string, options?: LintOptions): Promise<string[]> {
  const { findings } = await lintFiles([file("000001-a.sql", body)], options);
  return findings.map(({ line, column, level, rule }) => `${line}:${column} ${level} ${rule}`);
}

const withState = (states: Record<string, TableState>): LintOptions => ({
  tableStates: async (names) => new Map(names.map((name) => [name, states[name] ?? "absent"])),
});

describe("findings", () => {
  it("have file, line and column of the whole file, rule, level, message and what helps", async () => {
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

  it("of a concurrent build are those of a file that runs in a transaction", async () => {
    const body = "create index concurrently a on orders (a);";
    expect(await findingsOf(`select 1;\n${body}`)).toEqual(["5:14 error ban-concurrent-index-creation-in-transaction"]);
    expect((await lintFiles([file("000001-a.sql", `--! no-transaction\n${body}`, false)])).findings).toEqual([]);
  });

  it("of what is right are none, placeholders and casts included", async () => {
    expect(
      await findingsOf(
        "grant connect on database :DATABASE_NAME to :DATABASE_OWNER; select '1'::TEXT, (array[1, 2])[1:2];",
      ),
    ).toEqual([]);
  });

  it("of a foreign key that is not NOT VALID are one", async () => {
    expect(await findingsOf("alter table a add constraint b foreign key (c) references d, add check (e > 0);")).toEqual(
      ["4:19 error adding-foreign-key-constraint", "4:62 error constraint-missing-not-valid"],
    );
  });

  it("of one statement that squawk cannot read do not keep it from the others", async () => {
    const body = `set time zone interval '1' hour;
      alter table orders drop column a;`;
    const { findings } = await lintFiles([file("000001-a.sql", body)]);
    expect(findings.map(({ line, level, rule }) => `${line} ${level} ${rule}`)).toEqual([
      "4 error not-judged",
      "5 error ban-drop-column",
    ]);
    expect(findings[0]?.message).toMatch(/^squawk cannot read this statement \(.+\), and so has not judged it\.$/);
  });

  it("tell a syntax error as the server would", async () => {
    const { findings } = await lintFiles([file("000001-a.sql", "select 1;\nalter tabel orders drop column a;")]);
    expect(findings).toMatchObject([
      { line: 5, column: 7, rule: "syntax-error", level: "error", message: 'syntax error at or near "tabel"' },
    ]);
  });
});

describe("rules about rows", () => {
  const index = "create index on orders (a);";
  it("speak of tables that have rows, and leave alone those that are empty", async () => {
    expect(await findingsOf(index, withState({ orders: "rows" }))).toHaveLength(1);
    expect(await findingsOf(index, withState({ orders: "empty" }))).toEqual([]);
  });

  it("leave alone what an earlier file of the same run makes", async () => {
    const made = file("000001-a.sql", "create table public.orders (a text);");
    const { findings } = await lintFiles([made, file("000002-b.sql", `${index}\ncreate index on others (a);`)]);
    expect(findings.map(({ file: name, line }) => `${name}:${line}`)).toEqual(["000002-b.sql:5"]);
  });

  it("speak of a table that is there although a file would make it again", async () => {
    const body = `create table if not exists orders (a text);\nalter table orders alter column a set not null;`;
    expect(await findingsOf(body, withState({ orders: "rows" }))).toEqual(["5:35 error adding-not-nullable-field"]);
  });

  it("speak of a table that was renamed meanwhile", async () => {
    const body = `-- squawk-ignore renaming-table: nobody uses it\nalter table orders rename to sales;\ncreate index on sales (a);`;
    expect(await findingsOf(body, withState({ orders: "rows" }))).toEqual([
      "6:1 error require-concurrent-index-creation",
    ]);
  });
});

describe("rules about applications", () => {
  it("speak of empty tables, too, and leave alone what the same run makes", async () => {
    const drop = "alter table orders drop column a;";
    expect(await findingsOf(drop, withState({ orders: "empty" }))).toEqual(["4:20 error ban-drop-column"]);
    const made = file("000001-a.sql", "create table orders (a text);");
    expect((await lintFiles([made, file("000002-b.sql", drop)])).findings).toEqual([]);
  });
});

describe("an exception", () => {
  const drop = "alter table orders drop column a;";

  it("with a reason accepts a finding of its statement, and is told", async () => {
    const body = `-- squawk-ignore ban-drop-column: moved to profile: 000012\n${drop}`;
    const report = await lintFiles([file("000001-a.sql", body)]);
    expect(report.findings).toEqual([]);
    expect(report.exceptions).toMatchObject([{ line: 5, rule: "ban-drop-column", reason: "moved to profile: 000012" }]);
  });

  it("is one statement's alone", async () => {
    expect(await findingsOf(`-- squawk-ignore ban-drop-column: moved\n${drop}\n${drop}`)).toEqual([
      "6:20 error ban-drop-column",
    ]);
  });

  it("may stand inside its statement, or hold for the file", async () => {
    expect(await findingsOf("alter table orders\n  -- squawk-ignore ban-drop-column: moved\n  drop column a;")).toEqual(
      [],
    );
    expect(await findingsOf(`${drop}\n${drop}\n-- squawk-ignore-file ban-drop-column: moved`)).toEqual([]);
  });

  it("may be a comment of the other kind", async () => {
    expect(await findingsOf(`/* squawk-ignore ban-drop-column: moved */ ${drop}`)).toEqual([]);
  });

  it.each([`/* squawk-ignore ban-drop-column */ ${drop}`, `/* squawk-ignore-file ban-drop-column */\n${drop}`])(
    "without a reason accepts nothing in such a comment either: %s",
    async (body) => {
      expect(await findingsOf(body)).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/error ban-drop-column$/),
          expect.stringMatching(/error exception-without-reason$/),
        ]),
      );
    },
  );

  it("cannot be made by squawk's other words", async () => {
    const body = "-- squawk-disable-assume-in-transaction\ncreate index concurrently a on orders (a);";
    expect(await findingsOf(body)).toEqual(["5:14 error ban-concurrent-index-creation-in-transaction"]);
  });

  it("without a reason accepts nothing and is a finding", async () => {
    expect(await findingsOf(`-- squawk-ignore ban-drop-column\n${drop}`)).toEqual([
      "5:20 error ban-drop-column",
      "4:1 error exception-without-reason",
    ]);
  });

  it("without a rule is a finding", async () => {
    expect(await findingsOf(`-- squawk-ignore-file: old file\n${drop}`)).toEqual([
      "5:20 error ban-drop-column",
      "4:1 error exception-without-rule",
    ]);
  });

  it("that accepts nothing is a finding", async () => {
    expect(await findingsOf(`-- squawk-ignore ban-drop-table, ban-drop-column: moved\n${drop}`)).toEqual([
      "4:1 warning unused-exception",
    ]);
  });

  it("of a rule about rows stays used where the table is new", async () => {
    const body = "-- squawk-ignore require-concurrent-index-creation: small\ncreate index on orders (a);";
    expect(await findingsOf(body, withState({ orders: "empty" }))).toEqual([]);
  });
});
