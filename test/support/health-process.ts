import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { rolldown } from "rolldown";
import type { Connection } from "../../scripts/connection/connection.ts";

/** A health server in a process of its own. */
export interface HealthProcess {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

/**
 * Starts a health server on a free port of this machine, bundled and with the heap of its container.
 *
 * @param folder folder of its bundle and history
 */
export async function startHealth(
  folder: string,
  connection: Connection,
  intervalSeconds: number,
): Promise<HealthProcess> {
  const program = join(folder, "health.mjs");
  const bundle = await rolldown({
    input: join(import.meta.dirname, "health-process-program.ts"),
    platform: "node",
    external: ["pg-native"],
    logLevel: "silent",
  });
  await bundle.write({ file: program, format: "esm", codeSplitting: false, minify: true });
  await bundle.close();
  const variables = { CONNECTION: JSON.stringify(connection), HISTORY: join(folder, "history.json") };
  const child = spawn(process.execPath, ["--max-old-space-size=96", "--max-semi-space-size=4", program], {
    env: { ...process.env, ...variables, MONITORING_INTERVAL: `${intervalSeconds}s` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const url = await addressOf(child);
  return {
    url,
    pid: child.pid ?? 0,
    async stop() {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

async function addressOf({ stdout, stderr }: ChildProcess): Promise<string> {
  if (stdout === null || stderr === null) throw new Error("The health server has no output.");
  let said = "";
  for (const stream of [stdout, stderr])
    stream.on("data", (text: Buffer) => {
      said += text.toString();
    });
  for (let i = 0; i < 300; i += 1) {
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? [];
    if (url !== undefined) return url;
    await sleep(100);
  }
  throw new Error(`The health server did not start: ${said}`);
}

/** Returns the resident memory of a process in MB. */
export async function residentMegabytes(pid: number): Promise<number> {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}
