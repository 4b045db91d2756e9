import type { Client } from "pg";
import { withClient } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { isFromServer } from "../connection/server-fault.ts";
import { sqlFileError } from "../sql/run-sql.ts";
import type { CheckFile } from "./check-files.ts";
import { type Examined, type IntegrityFinding, nothingExamined, type Sample } from "./subject.ts";

/** Limits of each query. */
export interface CheckLimits {
  statementTimeoutMs: number;
  lockTimeoutMs: number;
  /** Largest number of rows of a finding. */
  sampleLimit: number;
  signal?: AbortSignal | undefined;
}

/** Name of the session in pg_stat_activity. */
const applicationName = "pgroundwork validate";

/** Longest value of a row that is shown, in characters. */
const shownWidth = 100;

/**
 * Runs check files, each in a read-only transaction. The search path is that of the database and the role, as for
 * migrations. If row security would hide rows, the query fails.
 */
export async function runCheckFiles(
  connection: Connection,
  files: readonly CheckFile[],
  limits: CheckLimits,
): Promise<Examined> {
  const result = nothingExamined();
  if (files.length === 0) return result;
  await withClient(
    connection,
    async (client) => {
      for (const each of files) {
        limits.signal?.throwIfAborted();
        const outcome = await runCheck(client, each, limits, connection.user);
        if ("unknown" in outcome) result.unknown.push(`${each.file}: ${outcome.unknown}`);
        else {
          result.examined++;
          result.findings.push(...outcome.findings);
        }
      }
    },
    applicationName,
  );
  return result;
}

type Outcome = { findings: IntegrityFinding[] } | { unknown: string };

async function runCheck(client: Client, check: CheckFile, limits: CheckLimits, user: string): Promise<Outcome> {
  const { statementTimeoutMs, lockTimeoutMs, sampleLimit } = limits;
  await client.query(
    `begin read only; set local statement_timeout = ${statementTimeoutMs}; set local lock_timeout = ${lockTimeoutMs}; set local row_security = off`,
  );
  try {
    const rows = await firstRows(client, check.text.slice(check.start, check.end), sampleLimit + 1);
    return { findings: rows.length === 0 ? [] : [violated(check, rows, sampleLimit)] };
  } catch (error) {
    if (!isFromServer(error)) throw error;
    const unknown = unknownReason(error, limits, user);
    if (unknown !== undefined) return { unknown };
    // 57P: the server ends the session.
    if (/^57P/.test(String(error.code))) throw error;
    return { findings: [failed(check, error)] };
  } finally {
    await client.query("rollback").catch(() => {});
  }
}

/** Reads rows from a portal, so that a query that returns millions of them is stopped after the first. */
async function firstRows(client: Client, query: string, limit: number): Promise<Sample[]> {
  const { default: Cursor } = await import("pg-cursor");
  const asText = { getTypeParser: () => (value: unknown) => (value === null ? null : String(value)) };
  const cursor = client.query(new Cursor<Sample>(query, [], { types: asText }));
  const rows = await cursor.read(limit);
  // Not after an error, which ends the portal by itself.
  await cursor.close();
  return rows;
}

function unknownReason(
  { code, message }: Error & { code: unknown },
  limits: CheckLimits,
  user: string,
): string | undefined {
  if (code === "42501") return `role "${user}" has no right to run it (${message})`;
  if (code === "55P03") return `a lock was not free within ${limits.lockTimeoutMs} ms`;
  if (code === "57014") return `it did not finish within ${limits.statementTimeoutMs} ms`;
  return undefined;
}

function violated({ file, title }: CheckFile, rows: Sample[], limit: number): IntegrityFinding {
  const hasMore = rows.length > limit;
  const samples = rows.slice(0, limit).map(cut);
  const number = hasMore ? `more than ${limit} rows` : rows.length === 1 ? "1 row" : `${rows.length} rows`;
  return {
    code: "check-violated",
    level: "error",
    title,
    detail: `${file} returned ${number}: ${title}`,
    objects: [file],
    hint: null,
    count: hasMore ? null : rows.length,
    samples,
  };
}

function cut(row: Sample): Sample {
  const shorten = (value: string | null) =>
    value !== null && value.length > shownWidth ? `${value.slice(0, shownWidth)}…` : value;
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, shorten(value)]));
}

/** Returns the finding of a query that the server refuses: what it looks for is not known. */
function failed({ file, text, start }: CheckFile, error: Error & { code: unknown }): IntegrityFinding {
  const { message, hint } = sqlFileError(error, { file, text, start }, "Correct the query.");
  return {
    code: "check-failed",
    level: "error",
    title: "A check cannot be run",
    detail: message,
    objects: [file],
    hint: error.code === "25006" ? "A check only reads: remove what writes." : (hint ?? null),
    count: null,
    samples: [],
  };
}
