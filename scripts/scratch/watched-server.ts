import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Account } from "../server/account.ts";

/** A temporary server that ends, and whose directory is removed, when this process ends for any reason. */
export interface WatchedServer {
  /** Starts the server on the directory `data`. */
  start(): void;
  /** Returns the end of the log once the server has ended by itself. Returns undefined before that. */
  endOfLog(): string | undefined;
  /** Stops the server and removes the directory. */
  end(): Promise<void>;
}

/** Part of the log that is kept if the server ends by itself, in bytes. */
const keptLog = 20_000;

/**
 * Script of the shell. SIGQUIT is PostgreSQL's immediate shutdown: nothing here must be kept. initdb may still write
 * while the directory is removed, so a failed removal is tried again.
 */
const script = `postgres=$1
folder=$2
shift 2
if read -r line && [ "$line" = start ]; then
  exec 3<&0
  "$postgres" "$@" >"$folder/log" 2>&1 </dev/null 3<&- &
  server=$!
  { cat <&3 && kill -QUIT "$server"; } >/dev/null 2>&1 &
  watcher=$!
  wait "$server"
  kill "$watcher" 2>/dev/null
  tail -c ${keptLog} "$folder/log"
fi
rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }`;

/**
 * Starts the watching shell, before `initdb` runs: the directory is removed whatever this process is doing when it
 * ends. The shell has its own session, so that Ctrl-C in a terminal does not reach it.
 *
 * @param options options of `postgres`, in addition to the data directory
 */
export function watchServer(
  postgres: string,
  folder: string,
  account: Account | undefined,
  options: readonly string[] = [],
): WatchedServer {
  const args = ["-c", script, "sh", postgres, folder, "-D", join(folder, "data"), ...options];
  const child = spawn("/bin/sh", args, {
    cwd: "/",
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", TZ: "UTC" },
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
    ...(account ?? {}),
  });
  let log = "";
  let hasEnded = false;
  child.stdin.on("error", () => {});
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const ended = once(child, "close").then(() => {
    hasEnded = true;
  });
  return {
    start: () => void child.stdin.write("start\n"),
    endOfLog: () => (hasEnded ? log : undefined),
    end: async () => {
      child.stdin.end();
      await ended;
      // The server's account may not be allowed to remove a folder of this process's TMPDIR.
      await rm(folder, { recursive: true, force: true });
    },
  };
}
