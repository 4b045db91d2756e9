import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { type Connection, connectionUrl } from "../../../../scripts/connection/connection.ts";

/** A line of `deployer.ts`: an event, the result or the error. */
export interface DeployerLine {
  kind: string;
  filename?: string;
  message?: string;
  applied?: { filename: string }[];
}

/** A running `deployer.ts`. */
export interface Deployer {
  child: ChildProcess;
  lines: DeployerLine[];
  /** Resolves with the first line for which `fits` returns true. */
  line(fits: (line: DeployerLine) => boolean): Promise<DeployerLine>;
  /** Resolves with the exit code, or with null if a signal ended the process. */
  exited: Promise<number | null>;
}

/**
 * Starts `deployer.ts` as a process.
 *
 * @param freezeAfter name of a file; after it is applied, the process stops forever
 */
export function startDeployer(connection: Connection, folder: string, freezeAfter?: string): Deployer {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "deployer.ts"), folder], {
    env: {
      ...process.env,
      DATABASE_URL: connectionUrl(connection),
      ...(freezeAfter === undefined ? {} : { FREEZE_AFTER: freezeAfter }),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: DeployerLine[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => lines.push(JSON.parse(line) as DeployerLine));
  const ended = once(reader, "close");
  return {
    child,
    lines,
    exited: once(child, "exit").then(async ([code]) => {
      await ended;
      return code as number | null;
    }),
    async line(fits) {
      for (;;) {
        const found = lines.find(fits);
        if (found !== undefined) return found;
        if (child.exitCode !== null) throw new Error(`the deployer ended without that line: ${JSON.stringify(lines)}`);
        await Promise.race([once(reader, "line"), ended]);
      }
    },
  };
}

/** Runs graphile-migrate's own CLI in a folder. Returns the exit code, and stdout and stderr as one text. */
export async function graphileCli(
  connection: Connection,
  folder: string,
  args: string[],
  { shadow, root }: { shadow?: Connection; root?: Connection } = {},
): Promise<{ code: number | null; output: string }> {
  const cli = path.resolve(import.meta.dirname, "../../../../node_modules/graphile-migrate/dist/cli.js");
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: folder,
    env: {
      ...process.env,
      DATABASE_URL: connectionUrl(connection),
      SHADOW_DATABASE_URL: shadow === undefined ? "postgresql://nobody@localhost/none" : connectionUrl(shadow),
      ...(root === undefined ? {} : { ROOT_DATABASE_URL: connectionUrl(root) }),
      FORCE_COLOR: "0",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}
