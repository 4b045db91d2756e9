import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { describePlan } from "../../../../../../scripts/cli/commands/migrate/plan-text.ts";
import type { StatementEffects } from "../../../../../../scripts/migrate/plan/effects.ts";
import { type LockMode, lockEffect } from "../../../../../../scripts/migrate/plan/lock-mode.ts";
import type { MigrationPlan, PlannedFile, PlannedStatement } from "../../../../../../scripts/migrate/plan/plan.ts";

const nothing: StatementEffects = { locks: [], rewritten: [], scanned: [], emptied: [], dropped: [] };

function statement(line: number, title: string, effects: Partial<StatementEffects> | null = {}): PlannedStatement {
  return { line, lastLine: line, title, effects: effects === null ? null : { ...nothing, ...effects }, findings: [] };
}

function planOf(statements: PlannedStatement[], rest: Partial<MigrationPlan> & { file?: Partial<PlannedFile> } = {}) {
  const { file, ...plan } = rest;
  const files = [
    {
      ...{ filename: "000002-x.sql", message: null, phase: null, transactional: true, statements },
      ...{ trial: "passed", notTried: null, ...file },
    },
  ] satisfies PlannedFile[];
  const triedOn = { major: 17, liveMajor: 17 };
  const empty = { problems: [], draft: null, tables: {}, warnings: [], exceptions: [], failure: null };
  const made = { ...empty, files, triedOn, ...plan };
  return stripVTControlCharacters(describePlan("shop of stack local", made)).split("\n");
}

const finding = {
  file: "000002-x.sql",
  line: 4,
  column: 1,
  rule: "ban-drop-table",
  level: "error" as const,
  message: "Dropping a table may break existing clients.",
  help: null,
};

const lock = (relation: string, mode: LockMode) => ({ relation, mode, effect: lockEffect(mode) });

describe("the text of a plan", () => {
  it("shows below each statement its effects with table sizes, and what it blocks for how long", () => {
    const change = statement(9, "alter table orders alter column id type bigint", {
      locks: [
        lock("public.orders", "AccessExclusiveLock"),
        lock("public.lines", "AccessExclusiveLock"),
        lock("public.small", "ShareLock"),
        lock("audit.log", "AccessShareLock"),
      ],
      rewritten: ["public.orders"],
      scanned: ["audit.log", "public.small"],
      emptied: ["public.gone"],
      dropped: ["public.old"],
    });
    const tables = {
      "public.orders": { rows: 12_345_678, bytes: 3.1 * 2 ** 30 },
      "audit.log": { rows: null, bytes: null },
      "public.small": { rows: 1, bytes: 8192 },
      "public.old": { rows: 0, bytes: 0 },
    };
    const last = statement(10, "update orders set a = 1", { locks: [lock("public.orders", "RowExclusiveLock")] });
    expect(planOf([change, last], { tables, file: { phase: "expand" } })).toEqual([
      "shop of stack local: 1 would be applied",
      "",
      "000002-x.sql  (expand)",
      "   9 | alter table orders alter column id type bigint",
      "       drops old (about 0 rows, 0 bytes)",
      "       empties gone (not in the live database)",
      "       rewrites orders (about 12.3M rows, 3.1 GB)",
      "       scans audit.log (rows not counted yet, size unknown: another session holds a lock on it)",
      "       scans small (about 1 row, 8.0 kB)",
      "       blocks reads and writes of orders, lines to the end of the file (ACCESS EXCLUSIVE)",
      "       blocks writes of small to the end of the file (SHARE)",
      "  10 | update orders set a = 1",
      "       locks orders (ROW EXCLUSIVE: reads and writes continue)",
    ]);
  });

  it("shows findings with their statement and a hint once a file, and exceptions with their reasons", () => {
    const helpful = {
      ...finding,
      rule: "adding-required-field",
      message: "It is required.",
      help: "Make it nullable.",
    };
    const statements = [
      statement(4, "drop table orders"),
      statement(5, "drop table lines"),
      statement(8, "alter table a"),
    ];
    statements[0]?.findings.push(finding, helpful);
    statements[1]?.findings.push(finding, { ...helpful, level: "warning" });
    const exceptions = [{ ...finding, line: 8, rule: "ban-drop-column", reason: "nobody reads it" }];
    expect(planOf(statements, { exceptions, warnings: ["mind this"] }).slice(2)).toEqual([
      "000002-x.sql",
      "  4 | drop table orders",
      "      error ban-drop-table: Dropping a table may break existing clients.",
      "      error adding-required-field: Make it nullable.",
      "  5 | drop table lines",
      "      error ban-drop-table",
      "      warning adding-required-field",
      "  8 | alter table a",
      "      accepted ban-drop-column: nobody reads it",
      "",
      "warning: mind this",
      "",
      "lint: 3 errors, 1 warning, 1 accepted with a reason; a protected stack refuses errors",
    ]);
  });

  it("shows which statement fails, the server's message at the end, and what was not tried", () => {
    const failure = {
      filename: "000002-x.sql",
      message: "000002-x.sql:6:1: oh",
      sqlstate: "42P01",
      line: 6,
      column: 1,
    };
    const statements = [statement(4, "a"), { ...statement(5, "b", null), lastLine: 6 }, statement(7, "c", null)];
    expect(planOf(statements, { failure, file: { transactional: false } }).slice(2)).toEqual([
      "000002-x.sql  (outside a transaction)",
      "  4 | a",
      "  5 | b",
      "      fails",
      "  7 | c",
      "      not tried",
      "",
      "It fails in a scratch cluster:",
      "000002-x.sql:6:1: oh",
    ]);
  });

  it("shows a draft apart from the pending files, with its own failure and accepted findings", () => {
    const failure = { filename: "current.sql", message: "current.sql:3:1: oh", sqlstate: null, line: 3, column: 1 };
    const draft = {
      ...{ filename: "current.sql", message: "more", phase: null, transactional: true },
      ...{ statements: [statement(3, "select x", null)], trial: "failed" as const, notTried: null, failure },
    };
    const exceptions = [{ ...finding, file: "current.sql", line: 3, reason: "no one reads it" }];
    expect(planOf([statement(4, "a")], { draft, exceptions })).toEqual([
      "shop of stack local: 1 would be applied",
      "",
      "000002-x.sql",
      "  4 | a",
      "",
      "draft, not applied by `up`:",
      "current.sql",
      "  3 | select x",
      "      fails",
      "      accepted ban-drop-table: no one reads it",
      "It fails in a scratch cluster:",
      "current.sql:3:1: oh",
    ]);
    const untried = { ...draft, failure: null, trial: "not tried" as const, notTried: "it needs more" };
    expect(planOf([], { files: [], draft: untried })).toEqual([
      "shop of stack local: nothing pending",
      "",
      "draft, not applied by `up`:",
      "current.sql",
      "  not tried: it needs more",
      "  3 | select x",
      "      not tried",
    ]);
  });

  it("counts statements without effects if many follow each other", () => {
    const quiet = [4, 5, 6, 7, 18].map((line) => statement(line, `create table t${line} (`));
    const loud = statement(20, "truncate a", { emptied: ["public.a"] });
    expect(planOf([...quiet, loud, statement(21, "select 1")]).slice(3)).toEqual([
      "   4 | create table t4 (",
      "   … | 4 more without effect on existing tables, the last in line 18",
      "  20 | truncate a",
      "       empties a (not in the live database)",
      "  21 | select 1",
    ]);
    expect(planOf(quiet.slice(0, 3)).slice(3)).toHaveLength(3);
  });

  it("says what a statement changes outside the database's tables, and counts none of these as without effect", () => {
    const changes = [
      ["alter database shop set work_mem = '64MB'", "changes a setting of the database, for new sessions"],
      ["ALTER DATABASE shop RESET ALL", "changes a setting of the database, for new sessions"],
      ["alter database shop set tablespace fast", "changes a database of the server"],
      ["alter role ann in database shop set search_path = app", "changes a setting of the role, for new sessions"],
      ["alter system set jit = off", "changes a setting of the server"],
      ["create role ann", "changes a role of the server, for all databases"],
      ["drop tablespace fast", "changes a tablespace of the server"],
    ];
    const statements = changes.map(([title = ""], index) => statement(index + 1, title));
    const more = [8, 9, 10, 11].map((line) => statement(line, "create user mapping for ann server s"));
    expect(planOf([...statements, ...more]).slice(3)).toEqual([
      ...changes.flatMap(([title, note], index) => [`   ${index + 1} | ${title}`, `       ${note}`]),
      "   8 | create user mapping for ann server s",
      "   … | 3 more without effect on existing tables, the last in line 11",
    ]);
  });
});
