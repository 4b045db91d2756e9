import { chmod, chown, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { serverAccount } from "../../../scripts/server/account.ts";
import { type Deployment, mapStrings } from "./deployment.ts";
import { databaseFolder, passphrase, versionFolder } from "./places.ts";
import type { ProjectOnDisk } from "./project-on-disk.ts";
import { referredText } from "./texts.ts";

/** Names of the stacks that are recorded for each version. */
export const recordedStacks = ["local", "dev", "staging", "external"] as const;
export type RecordedStackName = (typeof recordedStacks)[number];

/** Reads a recorded state and fills in the paths of a project directory on this machine. */
export async function readRecordedState(version: string, stack: string, clone: ProjectOnDisk): Promise<Deployment> {
  const folder = join(versionFolder(version), stack);
  const { deployment } = JSON.parse(await readFile(join(folder, "stack.json"), "utf8")) as { deployment: Deployment };
  const texts = new Map<string, string>();
  mapStrings(deployment, (text) => {
    const name = referredText(text);
    if (name !== undefined) texts.set(name, "");
    return text;
  });
  for (const name of texts.keys()) texts.set(name, await readFile(join(folder, "texts", name), "utf8"));
  const filled = fillIn(clone);
  return mapStrings(deployment, (text) => filled(texts.get(referredText(text) ?? "") ?? text)) as Deployment;
}

/** Puts a recorded stack into a project directory: settings, state, and the folder of its database. */
export async function placeRecordedStack(
  clone: ProjectOnDisk,
  version: string,
  stack: string,
  state: Deployment,
): Promise<void> {
  const folder = join(versionFolder(version), stack);
  const filled = fillIn(clone);
  const settings = `Pulumi.${stack}.yaml`;
  await cp(databaseFolder, join(clone.root, "migrations", "shop"), { recursive: true });
  await write(join(clone.root, settings), filled(await readFile(join(folder, settings), "utf8")));
  const checkpoint = { version: 3, checkpoint: { stack: `organization/pgroundwork/${stack}`, latest: state } };
  const file = join(clone.root, ".pgroundwork/.pulumi/stacks/pgroundwork", `${stack}.json`);
  await write(file, JSON.stringify(checkpoint));
  // The local stack reads its passphrase from this file, the others from the variable.
  await write(join(clone.root, ".pgroundwork/passphrase"), passphrase);
  clone.env.PULUMI_CONFIG_PASSPHRASE = passphrase;
  for (const { outputs } of state.resources) {
    if (typeof outputs?.dataDirectory !== "string" || typeof outputs.folder !== "string") continue;
    await placeDataDirectory(
      outputs.dataDirectory,
      filled(await readFile(join(folder, "data/pgroundwork.conf"), "utf8")),
    );
  }
}

/** Creates the files of an embedded server's data directory that a preview reads. */
async function placeDataDirectory(data: string, configuration: string): Promise<void> {
  const files = { PG_VERSION: "17\n", "postgresql.conf": "", "pgroundwork.conf": configuration };
  const account = await serverAccount(process.getuid?.());
  for (const [name, text] of Object.entries(files)) {
    await write(join(data, name), text);
    if (account !== undefined) await chown(join(data, name), account.uid, account.gid);
  }
  if (account !== undefined) await chown(data, account.uid, account.gid);
  await chmod(data, 0o700);
}

function fillIn(clone: ProjectOnDisk): (text: string) => string {
  const platform = `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`;
  const values = { projectRoot: clone.root, dataHome: clone.dataHome, platform };
  return (text) =>
    Object.entries(values).reduce((filled, [name, value]) => filled.replaceAll(`{{${name}}}`, value), text);
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
