import { chown, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { removeLeftTemporaries, temporaryFor } from "../core/temporary.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { renderConfiguration, type ServerSettings } from "./configuration.ts";
import { missingLibraries } from "./preload-libraries.ts";
import { run } from "./program.ts";
import { refuseSettings, settingsError } from "./refusals.ts";
import { contradictionIn } from "./setting-combinations.ts";
import type { SettingFault } from "./setting-faults.ts";

const checkedFile = "pgroundwork.check";

/**
 * Checks settings with PostgreSQL's own program before they are written, because a restart with invalid ones would
 * fail. It detects values that PostgreSQL cannot parse, settings that contradict each other, and missing libraries.
 * Everything else shows only at a start: a `SettingsTrial` makes one before a running server gets the settings.
 *
 * @param explain returns the problems that a running server reports; its argument is true if the program refuses some
 * settings
 * @throws OperationError with every problem
 */
export async function checkSettings(
  binaries: Binaries,
  dataDirectory: string,
  settings: ServerSettings,
  account: Account | undefined,
  explain: (refused: boolean) => Promise<SettingFault[]> = async () => [],
): Promise<void> {
  await removeLeftTemporaries(dataDirectory);
  const refuses = (some: ServerSettings) => refusal(binaries, dataDirectory, some, account);
  const faults = await missingLibraries(settings, binaries.libraries);
  const said = await refuses(settings);
  if (said === undefined) {
    const contradiction = await contradictionIn(binaries, dataDirectory, settings, account);
    if (contradiction !== undefined) faults.push({ name: "", reason: contradiction });
  }
  faults.push(...(await explain(said !== undefined)));
  await refuseSettings(settings, faults, said, refuses);
}

/** Returns the program's error about settings. Returns undefined if it accepts them. */
async function refusal(
  binaries: Binaries,
  dataDirectory: string,
  settings: ServerSettings,
  account: Account | undefined,
): Promise<string | undefined> {
  // In a file, because arguments are public and a value may be a secret. In this folder, because the account can enter
  // it, independently of TMPDIR.
  const file = temporaryFor(join(dataDirectory, checkedFile));
  try {
    const text = renderConfiguration(settings);
    await writeFile(file, text, { mode: 0o600, flag: "wx" });
    if (account !== undefined) await chown(file, account.uid, account.gid);
    // Checked without the file that they replace. A wrong value there must not block a right one.
    const args = ["-D", dataDirectory, "-c", `config_file=${file}`, "-C", "data_directory"];
    const finished = await run(binaries.postgres, args, { account, cwd: dataDirectory });
    return finished.code === 0 ? undefined : settingsError(finished.stderr, file, text);
  } finally {
    await rm(file, { force: true });
  }
}
