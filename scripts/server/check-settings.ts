import { randomUUID } from "node:crypto";
import { chown, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OperationError } from "../errors/operation-error.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { renderConfiguration, type ServerSettings } from "./configuration.ts";
import { run } from "./program.ts";
import type { SettingFault } from "./setting-faults.ts";

const prefix = "pgroundwork.check-";
/** A file of this age, in ms, is a killed run's: a check takes a fraction of a second. */
const leftAfter = 60_000;

/**
 * Has the server's own program judge settings, before they are written where a restart would trip over them. It tells what PostgreSQL cannot
 * read; a value that it can read and then not run with shows at the start only.
 *
 * @param explain what a running server's list of settings has against them: asked where the program refuses some, since that stops at the first kind of fault
 * @throws OperationError with every fault
 */
export async function checkSettings(
  binaries: Binaries,
  dataDirectory: string,
  settings: ServerSettings,
  account: Account | undefined,
  explain: () => Promise<SettingFault[]> = async () => [],
): Promise<void> {
  const said = await refusal(binaries, dataDirectory, settings, account);
  if (said === undefined) return;
  const faults = await explain();
  const names = new Set(faults.map(({ name }) => name));
  const others = Object.fromEntries(Object.entries(settings).filter(([name]) => !names.has(name)));
  const rest = names.size === 0 ? said : await refusal(binaries, dataDirectory, others, account);
  const lines = faults.map(({ name, reason }) => `${name} ${reason}`);
  throw new OperationError(refused([...lines, ...(rest === undefined ? [] : [rest])]), {
    remedy: "Correct it in pgroundwork:postgresql (pulumi config). The server was left as it was.",
  });
}

function refused(reasons: readonly string[]): string {
  const [first = ""] = reasons;
  return reasons.length === 1
    ? `PostgreSQL refuses a setting: ${first}`
    : ["PostgreSQL refuses these settings:", ...reasons.map((reason) => `- ${reason}`)].join("\n");
}

/** What the program says against settings; undefined: nothing. */
async function refusal(
  binaries: Binaries,
  dataDirectory: string,
  settings: ServerSettings,
  account: Account | undefined,
): Promise<string | undefined> {
  await removeLeft(dataDirectory);
  // In a file, since arguments are public and a value may hold a secret; in this folder, since the account may enter it whatever TMPDIR is.
  const file = join(dataDirectory, `${prefix}${randomUUID()}.conf`);
  try {
    const text = renderConfiguration(settings);
    await writeFile(file, text, { mode: 0o600, flag: "wx" });
    if (account !== undefined) await chown(file, account.uid, account.gid);
    // Judged by themselves, and not together with the file that they are about to replace: a wrong one there must not keep a right one out.
    const args = ["-D", dataDirectory, "-c", `config_file=${file}`, "-C", "data_directory"];
    const finished = await run(binaries.postgres, args, { account, cwd: dataDirectory });
    return finished.code === 0 ? undefined : complaint(finished.stderr, file, text);
  } finally {
    await rm(file, { force: true });
  }
}

/** What the program said, without time stamps and pids, and with the line itself for a place in a file that is gone when this is read. */
function complaint(stderr: string, file: string, text: string): string {
  const lines = text.split("\n");
  const [before = "", ...places] = stderr
    .replaceAll(/^.*? (?:FATAL|LOG|HINT|DETAIL|CONTEXT): +/gm, "")
    .replaceAll(`configuration file "${file}" contains errors`, "")
    .split(` in file "${file}" line `);
  return places
    .reduce((said, place) => {
      const [number = ""] = /^\d+/.exec(place) ?? [];
      const named = /unrecognized configuration parameter ".*"$/.test(said);
      return `${said}${named ? "" : ` in the line: ${lines[Number(number) - 1]}`}${place.slice(number.length)}`;
    }, before)
    .trim();
}

async function removeLeft(dataDirectory: string): Promise<void> {
  for (const name of (await readdir(dataDirectory)).filter((entry) => entry.startsWith(prefix))) {
    const path = join(dataDirectory, name);
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      // Another run's check has just ended.
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (found !== undefined && Date.now() - found.mtimeMs > leftAfter) await rm(path, { force: true });
  }
}
