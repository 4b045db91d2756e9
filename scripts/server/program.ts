import { spawn } from "node:child_process";
import type { Account } from "./account.ts";

/** Output and exit code of a program. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Options of {@link run}. */
export interface RunOptions {
  account: Account | undefined;
  /** Working directory. It is in the server's folder, because the account may not be able to enter the caller's. */
  cwd: string;
  /** Text for the program's stdin. Use it for text that must not be in the arguments. */
  input?: string;
}

/**
 * Runs one of PostgreSQL's programs. Its environment has only a path, a locale and a time zone. A server keeps the
 * environment of its start, readable in `/proc/PID/environ`, and the caller's environment has passphrases.
 */
export function run(program: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", TZ: "UTC" },
      stdio: ["pipe", "pipe", "pipe"],
      ...(options.account ?? {}),
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({ code: code ?? 128, stdout, stderr: signal ? `${stderr}killed by ${signal}` : stderr }),
    );
    // A program that ends before it has read everything closes the pipe. Its exit code says more than EPIPE would.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}
