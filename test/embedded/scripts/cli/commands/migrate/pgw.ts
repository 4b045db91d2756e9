import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Connection, connectionUrl } from "../../../../../../scripts/connection/connection.ts";
import { cloneRoot } from "../../../../../clone-root.ts";

/** Result of a `pgw` command. */
export interface Answer {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs `pgw` on the database of a connection, without a terminal.
 *
 * @param admin passed in ROOT_DATABASE_URL
 * @param extra variables in addition
 */
export async function pgw(
  connection: Connection,
  args: readonly string[],
  admin?: Connection,
  extra: NodeJS.ProcessEnv = {},
): Promise<Answer> {
  const child = spawn(process.execPath, [join(cloneRoot, "scripts/pgw.mjs"), ...args], {
    env: {
      ...process.env,
      NO_COLOR: "1",
      DATABASE_URL: connectionUrl(connection),
      ...(admin === undefined ? {} : { ROOT_DATABASE_URL: connectionUrl(admin) }),
      ...extra,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const answer: Answer = { code: null, stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (answer.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (answer.stderr += chunk.toString()));
  [answer.code] = (await once(child, "close")) as [number | null];
  return answer;
}
