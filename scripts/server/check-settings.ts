import { randomUUID } from "node:crypto";
import { chown, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unlessAbsent } from "../files/absent.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { renderConfiguration, type ServerSettings } from "./configuration.ts";
import { missingLibraries } from "./preload-libraries.ts";
import { run } from "./program.ts";
import { complaint, refuseSettings } from "./refusals.ts";
import { contradictionIn } from "./setting-combinations.ts";
import type { SettingFault } from "./setting-faults.ts";

const prefix = "pgroundwork.check-";
/** A file of this age, in ms, is a killed run's: a check takes a fraction of a second. */
const leftAfter = 60_000;

/**
 * Has the server's own program judge settings, before they are written where a restart would trip over them. It tells what PostgreSQL cannot
 * read, which settings contradict each other, and which libraries are not there; that the machine cannot give what they ask for shows at the start only.
 *
 * @param explain what a running server has against them, and whether the program refuses some: only then its list of settings is asked, too
 * @throws OperationError with every fault
 */
export async function checkSettings(
  binaries: Binaries,
  dataDirectory: string,
  settings: ServerSettings,
  account: Account | undefined,
  explain: (refused: boolean) => Promise<SettingFault[]> = async () => [],
): Promise<void> {
  await removeLeft(dataDirectory);
  const refuses = (some: ServerSettings) => refusal(binaries, dataDirectory, some, account);
  const faults = await missingLibraries(settings, binaries.libraries);
  const said = await refuses(settings);
  if (said === undefined) {
    const contradiction = await contradictionIn(binaries, dataDirectory, settings, account, prefix);
    if (contradiction !== undefined) faults.push({ name: "", reason: contradiction });
  }
  faults.push(...(await explain(said !== undefined)));
  await refuseSettings(settings, faults, said, refuses);
}

/** What the program says against settings; undefined: nothing. */
async function refusal(
  binaries: Binaries,
  dataDirectory: string,
  settings: ServerSettings,
  account: Account | undefined,
): Promise<string | undefined> {
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

async function removeLeft(dataDirectory: string): Promise<void> {
  for (const name of (await readdir(dataDirectory)).filter((entry) => entry.startsWith(prefix))) {
    const path = join(dataDirectory, name);
    // Undefined: another run's check has just ended.
    const found = await unlessAbsent(stat(path));
    if (found !== undefined && Date.now() - found.mtimeMs > leftAfter) await rm(path, { recursive: true, force: true });
  }
}
