import { execFile } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { connectionUrl } from "../../scripts/connection/connection.ts";
import { buildPackage } from "../../scripts/package/build.ts";
import { cloneRoot } from "../clone-root.ts";
import { describeTimes, type Measurement, median, timed } from "./measurement.ts";
import { startBenchServer } from "./server.ts";

const run = promisify(execFile);

const pairs = 15;
const database = "trading";

/** Commands that load little and much. */
const commands = ["--version", `migrate status --database ${database}`];

/** Measures commands from the installed package next to the same commands from source. */
export async function benchPackage(scratch: string): Promise<Measurement[]> {
  const tarball = await buildPackage(cloneRoot, join(scratch, "package", "files"));
  const project = join(scratch, "package", "project");
  await mkdir(project);
  await cp(join(cloneRoot, "migrations", database), join(project, "migrations", database), { recursive: true });
  await writeFile(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", tarball], { cwd: project });
  const installed = join(project, "node_modules", "pgroundwork", "dist", "pgw.mjs");
  const server = await startBenchServer(join(scratch, "package"), {});
  try {
    const connection = (await server.createKitDatabase(database))("migrator");
    const env = { ...process.env, DATABASE_URL: connectionUrl(connection) };
    const start = (program: string, command: string) =>
      timed(() => run(process.execPath, [program, ...command.split(" ")], { cwd: project, env }).catch(requirePending));
    await start(installed, `migrate up --database ${database}`);
    const measurements: Measurement[] = [];
    for (const command of commands) measurements.push(await compare(command, installed, start));
    return measurements;
  } finally {
    await server.stop();
  }
}

/** Takes turns, so that both run under the same load. The first round fills the compile cache. */
async function compare(
  command: string,
  installed: string,
  start: (program: string, command: string) => Promise<number>,
): Promise<Measurement> {
  const [fromPackage, fromSource]: [number[], number[]] = [[], []];
  for (let i = 0; i <= pairs; i += 1) {
    const ours = await start(installed, command);
    const theirs = await start(join(cloneRoot, "scripts", "pgw.mjs"), command);
    if (i === 0) continue;
    fromPackage.push(ours);
    fromSource.push(theirs);
  }
  const ratio = median(fromPackage) / median(fromSource);
  return {
    what: `pgw ${command}, from the package`,
    here: describeTimes(fromPackage),
    against: `from source: ${describeTimes(fromSource)}`,
    ratio,
    target: "< 1×",
    met: ratio < 1,
  };
}

/** Exit code 4 says that migrations are pending. */
function requirePending(error: { code?: number }): void {
  if (error.code !== 4) throw error;
}
