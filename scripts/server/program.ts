import { spawn } from "node:child_process";
import type { Account } from "./account.ts";

/** What a program printed and how it ended. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  account: Account | undefined;
  /** Where it runs; the server's folder, since the caller's may be closed to the account. */
  cwd: string;
  /** Written to the program's stdin: the way for what must not stand in its arguments. */
  input?: string;
}

/**
 * Runs one of PostgreSQL's programs. Its environment is empty but for a path and a locale: a server keeps what it was started with
 * for anyone who may read `/proc/PID/environ`, and the caller's holds passphrases.
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
    // A program that ends before it has read everything closes the pipe; its exit code tells more than EPIPE would.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}
