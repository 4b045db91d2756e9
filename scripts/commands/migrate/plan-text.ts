import type { Exception, Finding } from "../../lint/finding.ts";
import type { StatementEffects } from "../../migrate/plan/effects.ts";
import { type LockMode, lockEffect, lockModes, lockTitle } from "../../migrate/plan/lock-mode.ts";
import type { MigrationPlan, PlannedFile, PlannedStatement } from "../../migrate/plan/plan.ts";
import { style } from "../cli/output.ts";
import { size } from "../destroy/texts.ts";

/** So many statements in a row that touch nothing are told one by one. */
const mostQuiet = 3;

/** A plan as it is read on a terminal: what runs, and below each statement what it does to whom. */
export function describePlan(label: string, plan: MigrationPlan): string {
  const { files, warnings, failure } = plan;
  const lines = files.flatMap((file) => ["", ...describeFile(file, plan)]);
  if (warnings.length > 0) lines.push("", ...warnings.map((warning) => `${style("yellow", "warning:")} ${warning}`));
  const found = lintLine(plan);
  if (found !== undefined) lines.push("", found);
  if (failure !== null) lines.push("", style("red", "It fails, tried in a scratch database:"), failure.message);
  return [`${label}: ${files.length} would be applied`, ...lines].join("\n");
}

/** Findings in figures, since they stand far apart; undefined where there is nothing to say. */
function lintLine({ files, exceptions }: MigrationPlan): string | undefined {
  const findings = files.flatMap(({ statements }) => statements.flatMap((statement) => statement.findings));
  const errors = findings.filter(({ level }) => level === "error").length;
  if (findings.length + exceptions.length === 0) return undefined;
  const many = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
  const refused = errors > 0 ? "; a protected stack refuses errors" : "";
  return `lint: ${many(errors, "error")}, ${many(findings.length - errors, "warning")}, ${exceptions.length} accepted with reason${refused}`;
}

/** One statement with its lines of notes. */
interface Described {
  statement: PlannedStatement;
  notes: string[];
}

function describeFile(file: PlannedFile, plan: MigrationPlan): string[] {
  const { filename, phase, transactional, statements } = file;
  const traits = [...(phase === null ? [] : [phase]), ...(transactional ? [] : ["outside a transaction"])];
  const title = `${style("bold", filename)}${traits.length === 0 ? "" : `  (${traits.join(", ")})`}`;
  const width = String(statements.at(-1)?.line ?? 0).length;
  const helped = new Set<string>();
  const described = statements.map((statement) => ({ statement, notes: notesOf(statement, file, plan, helped) }));
  return [title, ...quietFolded(described, width)];
}

/** Statements that touch nothing that is there (a first migration makes hundreds) are counted behind the first of them. */
function quietFolded(described: readonly Described[], width: number): string[] {
  const lines: string[] = [];
  let quiet: Described[] = [];
  const flush = () => {
    const shown = quiet.length > mostQuiet ? quiet.slice(0, 1) : quiet;
    lines.push(...shown.flatMap((each) => describeStatement(each, width)));
    const [more, last] = [quiet.length - shown.length, quiet.at(-1)];
    if (more > 0 && last !== undefined)
      lines.push(
        `  ${"…".padStart(width)} | ${more} more that touch nothing that is there, the last in line ${last.statement.line}`,
      );
    quiet = [];
  };
  for (const each of described) {
    if (each.notes.length === 0) quiet.push(each);
    else {
      flush();
      lines.push(...describeStatement(each, width));
    }
  }
  flush();
  return lines;
}

function describeStatement({ statement: { line, title }, notes }: Described, width: number): string[] {
  const indent = " ".repeat(width + 5);
  return [`  ${String(line).padStart(width)} | ${title}`, ...notes.map((note) => `${indent}${note}`)];
}

function notesOf(
  statement: PlannedStatement,
  { filename, transactional, statements }: PlannedFile,
  plan: MigrationPlan,
  helped: Set<string>,
): string[] {
  const { effects, line, lastLine, findings } = statement;
  const notes: string[] = [];
  if (effects === null) {
    const fails = plan.failure?.filename === filename && statements.find((each) => each.effects === null) === statement;
    notes.push(fails ? style("red", "fails") : "not tried");
  } else notes.push(...effectNotes(effects, plan, transactional && statement !== statements.at(-1)));
  notes.push(...findings.map((finding) => findingNote(finding, helped)));
  const accepted = plan.exceptions.filter(
    (each) => each.file === filename && each.line >= line && each.line <= lastLine,
  );
  return [...notes, ...accepted.map(acceptedNote)];
}

function effectNotes(effects: StatementEffects, plan: MigrationPlan, isHeld: boolean): string[] {
  const of = (names: readonly string[], what: string) => names.map((name) => `${what} ${sizeOf(name, plan)}`);
  return [
    ...of(effects.dropped, "drops"),
    ...of(effects.emptied, "empties"),
    ...of(effects.rewritten, "rewrites"),
    ...of(effects.scanned, "scans"),
    ...lockModes.toReversed().flatMap((mode) => lockNote(effects, mode, isHeld)),
  ];
}

/** What one mode is taken on; a mere read is not told. */
function lockNote({ locks }: StatementEffects, mode: LockMode, isHeld: boolean): string[] {
  const names = locks.filter((lock) => lock.mode === mode).map(({ relation }) => bare(relation));
  if (names.length === 0 || mode === "AccessShareLock" || mode === "RowShareLock") return [];
  const until = isHeld ? " to the end of the file" : "";
  const effect = lockEffect(mode);
  if (effect === "blocks neither")
    return [`locks ${names.join(", ")} (${lockTitle(mode)}: others read and write meanwhile)`];
  const colour = effect === "blocks writes" ? "yellow" : "red";
  return [`${style(colour, effect)} of ${names.join(", ")}${until} (${lockTitle(mode)})`];
}

/** With what to do instead, or else what is wrong, said once a file. */
function findingNote({ level, rule, message, help }: Finding, helped: Set<string>): string {
  const name = `${style(level === "error" ? "red" : "yellow", level)} ${rule}`;
  if (helped.has(rule)) return name;
  helped.add(rule);
  return `${name}: ${help ?? message}`;
}

function acceptedNote({ rule, reason }: Exception): string {
  return `accepted ${rule}: ${reason}`;
}

function sizeOf(name: string, { tables }: MigrationPlan): string {
  const live = tables[name];
  if (live === undefined) return `${bare(name)} (not in the live database)`;
  const rows = live.rows === null ? "rows not counted yet" : `about ${rowCount(live.rows)}`;
  const bytes = live.bytes === null ? "size not known: another session has it locked" : size(live.bytes);
  return `${bare(name)} (${rows}, ${bytes})`;
}

function bare(name: string): string {
  return name.replace(/^public\./, "");
}

function rowCount(rows: number): string {
  const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 }).format(rows);
  return `${short} ${rows === 1 ? "row" : "rows"}`;
}
