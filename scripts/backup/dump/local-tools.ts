import { execFile, spawn } from "node:child_process";
import { access, constants, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import type { Connection } from "../../connection/connection.ts";
import { passwordFile, programEnvironment, trustedCertificates } from "./program-environment.ts";
import { type DumpTools, type Program, ProgramError, type ProgramRun } from "./programs.ts";

const execute = promisify(execFile);

/** Folders in which packages of one major version put their programs. */
function packageFolders(major: number): string[] {
  return [
    `/usr/lib/postgresql/${major}/bin`,
    `/usr/pgsql-${major}/bin`,
    `/opt/homebrew/opt/postgresql@${major}/bin`,
    `/usr/local/opt/postgresql@${major}/bin`,
  ];
}

/** Programs of this machine, or the reason why there are none of the version. */
export type LocalTools = { found: true; tools: DumpTools } | { found: false; reason: string };

/** Finds PostgreSQL's programs of a major version: on PATH, then where packages of that version put them. */
export async function findLocalTools(major: number, env: NodeJS.ProcessEnv): Promise<LocalTools> {
  const onPath = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const others: string[] = [];
  for (const folder of [...onPath, ...packageFolders(major)]) {
    const version = await versionOf(join(folder, "pg_dump"), env);
    if (version === undefined) continue;
    if (Number.parseInt(version, 10) === major) return { found: true, tools: localTools(folder, version, env) };
    others.push(`${join(folder, "pg_dump")} is version ${version}`);
  }
  return { found: false, reason: others[0] ?? "PATH has no pg_dump" };
}

async function versionOf(program: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    await access(program, constants.X_OK);
    const { stdout } = await execute(program, ["--version"], { env: { ...env, LC_ALL: "C" }, timeout: 10_000 });
    return /\) (\d+(?:\.\d+)?\S*)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

function localTools(folder: string, version: string, env: NodeJS.ProcessEnv): DumpTools {
  const run = (given: ProgramRun) => runLocally(folder, env, given);
  return {
    version,
    location: folder,
    hasServerSocket: false,
    run,
    dumpFolder: ({ args, ...given }, to) =>
      // pg_dump writes to an empty folder.
      run({ ...given, program: "pg_dump", args: [...args, `--file=${to}`] }),
    restoreFolder: ({ args, ...given }, from) => run({ ...given, program: "pg_restore", args: [...args, from] }),
  };
}

async function runLocally(folder: string, env: NodeJS.ProcessEnv, given: ProgramRun): Promise<void> {
  const { program, args, connection, input, output, signal } = given;
  signal.throwIfAborted();
  await withConnectionFiles(connection, async (files) => {
    const child = spawn(join(folder, program), args, {
      env: { ...environmentOf(env), ...programEnvironment(connection, program, files) },
      stdio: [input === undefined ? "ignore" : "pipe", output === undefined ? "ignore" : "pipe", "pipe"],
    });
    let errors = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      if (errors.length < 20_000) errors += text;
    });
    const kill = () => child.kill("SIGTERM");
    signal.addEventListener("abort", kill, { once: true });
    try {
      const ended = new Promise<number>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code) => resolve(code ?? 128));
      });
      const flows = [
        // A program that ends before it has read everything closes the pipe. Its exit code says more.
        ...(input === undefined || child.stdin === null ? [] : [pipeline(input, child.stdin as Writable)]),
        ...(output === undefined || child.stdout === null ? [] : [pipeline(child.stdout, output)]),
      ];
      const [code] = await Promise.all([ended, settle(flows, kill, program, () => errors, ended)]);
      signal.throwIfAborted();
      if (code !== 0) throw new ProgramError(program, code, errors);
    } finally {
      signal.removeEventListener("abort", kill);
    }
  });
}

/** Waits for the streams of a program. If one fails, ends the program, whose own error counts more. */
async function settle(
  flows: readonly Promise<void>[],
  kill: () => void,
  program: Program,
  errors: () => string,
  ended: Promise<number>,
): Promise<void> {
  const results = await Promise.allSettled(
    flows.map((flow) =>
      flow.catch((error: unknown) => {
        kill();
        throw error;
      }),
    ),
  );
  const failed = results.find((result) => result.status === "rejected");
  if (failed === undefined) return;
  const code = await ended;
  if (code !== 0 && errors().trim() !== "") throw new ProgramError(program, code, errors());
  throw failed.reason;
}

/** Left over in the shell, these would lead a program to another server. */
function environmentOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("PG") || name.startsWith("PGW_")));
}

async function withConnectionFiles<T>(
  connection: Connection,
  work: (files: { password: string; ca: string }) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "pgw-dump-"));
  const files = { password: join(folder, "password"), ca: join(folder, "ca.pem") };
  try {
    await writeFile(files.password, passwordFile(connection), { mode: 0o600 });
    const certificates = await trustedCertificates(connection);
    if (certificates !== "") await writeFile(files.ca, certificates, { mode: 0o600 });
    return await work(files);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
