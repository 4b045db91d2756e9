import type { Exception, LintFinding } from "../../../migrate/lint/finding.ts";
import type { StatementEffects } from "../../../migrate/plan/effects.ts";
import { type LockMode, lockEffect, lockModes, lockTitle } from "../../../migrate/plan/lock-mode.ts";
import type { MigrationPlan, PlannedDraft, PlannedFile, PlannedStatement } from "../../../migrate/plan/plan.ts";
import { style } from "../../output.ts";
import { size } from "../destroy/texts.ts";

/** Number of statements in a row without effect on existing tables that are still printed one by one. */
const mostQuiet = 3;

/** Formats a plan for a terminal: the statements that run, and below each its locks and its effects on tables. */
export function describePlan(label: string, plan: MigrationPlan): string {
  const { files, draft, warnings, failure } = plan;
  const lines = files.flatMap((file) => ["", ...describeFile(file, plan)]);
  if (draft !== null) lines.push("", ...describeDraft(draft, plan));
  if (warnings.length > 0) lines.push("", ...warnings.map((warning) => `${style("yellow", "warning:")} ${warning}`));
  const found = lintLine(plan);
  if (found !== undefined) lines.push("", found);
  if (failure !== null) lines.push("", style("red", "It fails in a scratch cluster:"), failure.message);
  const count = files.length === 0 ? "nothing pending" : `${files.length} would be applied`;
  return [`${label}: ${count}`, ...lines].join("\n");
}

/** Describes the draft like a file of its own plan. */
function describeDraft(draft: PlannedDraft, plan: MigrationPlan): string[] {
  const { failure } = draft;
  const lines = ["draft, not applied by `up`:", ...describeFile(draft, { ...plan, files: [draft], failure })];
  return failure === null ? lines : [...lines, style("red", "It fails in a scratch cluster:"), failure.message];
}

/** Counts the lint findings, because they are spread over the plan. Undefined if there are none and no exceptions. */
function lintLine({ files, exceptions: all }: MigrationPlan): string | undefined {
  const exceptions = all.filter(({ file }) => files.some(({ filename }) => filename === file));
  const findings = files.flatMap(({ statements }) => statements.flatMap((statement) => statement.findings));
  const errors = findings.filter(({ level }) => level === "error").length;
  if (findings.length + exceptions.length === 0) return undefined;
  const many = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
  const refused = errors > 0 ? "; a protected stack refuses errors" : "";
  return `lint: ${many(errors, "error")}, ${many(findings.length - errors, "warning")}, ${exceptions.length} accepted with a reason${refused}`;
}

/** A statement and its notes, one per line. */
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
  // If all files share one reason for not being tried, it is printed with the first.
  const reason = plan.files.find((each) => each.notTried !== null) === file ? file.notTried : null;
  const note = reason === null || plan.failure !== null ? [] : [`  ${style("yellow", "not tried:")} ${reason}`];
  return [title, ...note, ...quietFolded(described, width)];
}

/**
 * Folds statements without effect on existing tables: a first migration makes hundreds. The rest of a series is
 * counted after the first one.
 */
function quietFolded(described: readonly Described[], width: number): string[] {
  const lines: string[] = [];
  let quiet: Described[] = [];
  const flush = () => {
    const shown = quiet.length > mostQuiet ? quiet.slice(0, 1) : quiet;
    lines.push(...shown.flatMap((each) => describeStatement(each, width)));
    const [more, last] = [quiet.length - shown.length, quiet.at(-1)];
    if (more > 0 && last !== undefined)
      lines.push(
        `  ${"…".padStart(width)} | ${more} more without effect on existing tables, the last in line ${last.statement.line}`,
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
  notes.push(...wideNotes(statement.title));
  notes.push(...findings.map((finding) => findingNote(finding, helped)));
  const accepted = plan.exceptions.filter(
    (each) => each.file === filename && each.line >= line && each.line <= lastLine,
  );
  return [...notes, ...accepted.map(acceptedNote)];
}

/** Statements that change more than the objects in the database, with what they change. */
const wideEffects: readonly [RegExp, string][] = [
  [/^alter database .* (?:set|reset) (?!tablespace\b)/i, "changes a setting of the database, for new sessions"],
  [/^alter (?:role|user) .* (?:set|reset) /i, "changes a setting of the role, for new sessions"],
  [/^alter system /i, "changes a setting of the server"],
  [/^(?:create|alter|drop) database /i, "changes a database of the server"],
  [/^(?:create|alter|drop) (?:role|user|group) (?!mapping\b)/i, "changes a role of the server, for all databases"],
  [/^(?:create|alter|drop) tablespace /i, "changes a tablespace of the server"],
];

function wideNotes(title: string): string[] {
  const found = wideEffects.find(([pattern]) => pattern.test(title));
  return found === undefined ? [] : [found[1]];
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

/** Describes the relations locked in one mode. Locks that are taken just for reading are not printed. */
function lockNote({ locks }: StatementEffects, mode: LockMode, isHeld: boolean): string[] {
  const names = locks.filter((lock) => lock.mode === mode).map(({ relation }) => bare(relation));
  if (names.length === 0 || mode === "AccessShareLock" || mode === "RowShareLock") return [];
  const until = isHeld ? " to the end of the file" : "";
  const effect = lockEffect(mode);
  if (effect === "blocks neither") return [`locks ${names.join(", ")} (${lockTitle(mode)}: reads and writes continue)`];
  const colour = effect === "blocks writes" ? "yellow" : "red";
  return [`${style(colour, effect)} of ${names.join(", ")}${until} (${lockTitle(mode)})`];
}

/**
 * Describes a finding with its help, or with its message if it has none. The text of a rule is printed once per file.
 */
function findingNote({ level, rule, message, help }: LintFinding, helped: Set<string>): string {
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
  const bytes = live.bytes === null ? "size unknown: another session holds a lock on it" : size(live.bytes);
  return `${bare(name)} (${rows}, ${bytes})`;
}

function bare(name: string): string {
  return name.replace(/^public\./, "");
}

function rowCount(rows: number): string {
  const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 }).format(rows);
  return `${short} ${rows === 1 ? "row" : "rows"}`;
}
