import type Docker from "dockerode";
import pg from "pg";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { runInContainer } from "../../docker/run-in-container.ts";
import { queryInContainer, SocketError } from "../../docker/server/query.ts";
import { isRunning } from "../../docker/server/running.ts";
import { displayTime } from "../window/microseconds.ts";

/** ISO date and time with at most microseconds, and the time zone, if there is one. */
const pattern = /^(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?) ?(.*)$/;

/**
 * PostgreSQL reads `UTC+2` as POSIX does: two hours west of Greenwich. Everyone who types it means the opposite, so it
 * is refused.
 */
const posixZone = /^[A-Za-z]+[+-]\d/;

/** Containers in which PostgreSQL can calculate with times. */
export interface ClockPlace {
  /** Name of the stack's server. */
  server: string;
  /** Container with PostgreSQL's programs and a writable /tmp, if the server does not run. */
  container: string;
}

/**
 * Reads the target time of a restore. PostgreSQL converts it, because it knows the history of every time zone.
 *
 * @returns microseconds since 1970
 * @throws OperationError (wrong usage) if it is not a time, or has no time zone
 */
export async function readTargetTime(docker: Docker, place: ClockPlace, text: string): Promise<bigint> {
  const [, local, zone = ""] = pattern.exec(text.trim()) ?? [];
  if (local === undefined) {
    throw new OperationError(`--time ${text} is not a time.`, {
      hint: 'Use a date, a time of up to 6 decimal places, and a zone: --time "2026-11-29 05:17:59.014794 UTC"',
      exitCode: exitCode.usage,
    });
  }
  if (zone === "") throw await withoutZone(docker, place, local);
  if (posixZone.test(zone)) {
    throw new OperationError(`The time zone ${zone} of --time is ambiguous: PostgreSQL counts it westwards.`, {
      hint: `Use an offset (${local}+02 is east of Greenwich) or a name such as Europe/Berlin.`,
      exitCode: exitCode.usage,
    });
  }
  return ask(docker, place, `${local} ${zone}`, `${pg.escapeLiteral(`${local} ${zone}`)}::timestamptz`);
}

async function withoutZone(docker: Docker, place: ClockPlace, local: string): Promise<OperationError> {
  const readIn = async (zone: string) => {
    const expression = `${pg.escapeLiteral(local)}::timestamp at time zone ${pg.escapeLiteral(zone)}`;
    return displayTime(await ask(docker, place, local, expression));
  };
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const readings = `Read as UTC, it is ${await readIn("UTC")}. Read as local time (${here}), it is ${await readIn(here)}.`;
  return new OperationError(`--time ${local} has no time zone. ${readings}`, {
    hint: `Add the zone that you mean: --time "${local} UTC" or --time "${local} ${here}"`,
    exitCode: exitCode.usage,
  });
}

/** Evaluates an expression of type timestamptz in PostgreSQL. */
async function ask(docker: Docker, place: ClockPlace, text: string, expression: string): Promise<bigint> {
  const sql = `select (extract(epoch from ${expression}) * 1000000)::bigint::text as at`;
  const answer = (await askServer(docker, place.server, sql)) ?? (await askOneOff(docker, place.container, sql));
  if (/^\d+$/.test(answer)) return BigInt(answer);
  throw new OperationError(`--time ${text} is not a time that PostgreSQL can read: ${answer}`, {
    hint: "Name the zone as an offset (+02) or by its name (Europe/Berlin). The time must be after 1970.",
    exitCode: exitCode.usage,
  });
}

/** Returns the answer or the error of the stack's server. Returns undefined if it cannot be asked. */
async function askServer(docker: Docker, server: string, sql: string): Promise<string | undefined> {
  if (!(await isRunning(docker, server))) return undefined;
  try {
    const [row] = await queryInContainer<{ at: string }>(docker, server, sql);
    return row?.at;
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    return / ERROR: +(.+)$/.exec(error.message)?.[1];
  }
}

/** Asks a PostgreSQL in single-user mode, which needs a new cluster, but no running server. */
async function askOneOff(docker: Docker, container: string, sql: string): Promise<string> {
  const script = `set -e
    [ -d /tmp/clock ] || initdb --pgdata=/tmp/clock --no-sync --no-instructions >/dev/null
    postgres --single -c TimeZone=UTC -D /tmp/clock postgres 2>&1`;
  const command = ["sh", "-c", script];
  const { stdout, stderr } = await runInContainer(docker, container, { command, input: `${sql}\n`, user: "postgres" });
  const [, answer] = /at = "(-?\d+)"/.exec(stdout) ?? [];
  const [, error] = /ERROR: +(.+)$/m.exec(stdout) ?? [];
  if (answer !== undefined) return answer;
  if (error !== undefined) return error;
  throw new OperationError(`PostgreSQL did not answer in a scratch container: ${`${stdout}\n${stderr}`.trim()}`);
}
