import { randomUUID } from "node:crypto";
import type Docker from "dockerode";
import { OperationError } from "../../core/operation-error.ts";
import type { DockerOwner } from "../../model/labels.ts";
import { renderConfiguration, type ServerSettings } from "../../server/configuration.ts";
import { refuseSettings, settingsError } from "../../server/refusals.ts";
import type { SettingFault } from "../../server/setting-faults.ts";
import { runInContainer } from "../run-in-container.ts";
import { withScratchContainer } from "../scratch-container.ts";
import { tryStartInContainer } from "./trial-start.ts";

/** The container that will run with the settings. */
export interface CheckedServer {
  image: string;
  owner: Omit<DockerOwner, "role">;
  memoryMb?: number | undefined;
  shmSizeMb?: number | undefined;
  /** Name of the container. */
  container?: string | undefined;
}

/**
 * Checks settings with the image's own PostgreSQL before a server uses them. Finds settings that cannot be parsed,
 * values out of range and missing libraries. If there are none, a throwaway cluster is started with the settings and
 * the server's memory. It runs in a container without a network and without volumes, which ends when this process does.
 *
 * @throws OperationError with all problems
 */
export async function checkSettingsInImage(
  docker: Docker,
  { image, owner, memoryMb, shmSizeMb, container: server }: CheckedServer,
  settings: ServerSettings,
): Promise<void> {
  const limits = { memoryMb, shmSizeMb };
  const spec = { image, owner, ...limits, command: ["cat"], scratchFolders: ["/tmp"], endsWithInput: true };
  await withScratchContainer(docker, spec, async (container) => {
    const input = (await container.attach({ stream: true, stdin: true, hijack: true })) as NodeJS.ReadWriteStream;
    input.on("error", () => {});
    try {
      await container.start();
      const judge = (some: ServerSettings) => judgeIn(docker, container.id, some);
      await refuseSettings(
        settings,
        await missingLibraries(docker, container.id, settings),
        await judge(settings),
        judge,
      );
      await tryStartInContainer(docker, { container: container.id, server }, settings);
    } finally {
      input.end();
    }
  });
}

async function judgeIn(docker: Docker, container: string, settings: ServerSettings): Promise<string | undefined> {
  const file = `/tmp/${randomUUID()}.conf`;
  const text = renderConfiguration(settings);
  // Read from standard input, because a value can be a secret. TLS files exist only when the server starts, so they are
  // not checked here.
  const script = `umask 077; cat >${file}; exec postgres -D /tmp -c config_file=${file} -C data_directory`;
  const { code, stderr } = await runInContainer(docker, container, { command: ["sh", "-c", script], input: text });
  if (code === 0) return undefined;
  if (code < 0)
    throw new OperationError("The settings could not be checked: the Docker engine stopped the check.", {
      hint: "Run the command again. If it fails again, see the Docker engine's log.",
    });
  return settingsError(stderr.replaceAll(/^.*skipping missing configuration file.*\n/gm, ""), file, text);
}

/**
 * Prints the names in PostgreSQL's library folder. Without pg_config, which is a package of its own in Debian, the
 * folder is looked up beside the program, where PostgreSQL itself looks.
 */
const listLibraries = `ls "$(pg_config --pkglibdir 2>/dev/null || echo "$(dirname "$(readlink -f "$(command -v postgres)")")/../lib")"`;

/**
 * Finds missing libraries, because a server does not start without them. Names with a folder are not checked, and none
 * is if the library folder is unknown: the trial start reports the first one.
 */
async function missingLibraries(docker: Docker, container: string, settings: ServerSettings): Promise<SettingFault[]> {
  const name = "shared_preload_libraries";
  const wanted = (settings[name] ?? "").split(",").map((library) => library.trim().replaceAll('"', ""));
  const plain = wanted.filter((library) => library !== "" && !library.includes("/"));
  if (plain.length === 0) return [];
  const { code, stdout } = await runInContainer(docker, container, { command: ["sh", "-c", listLibraries] });
  const there = new Set(stdout.split("\n"));
  // The procedural language of every build. Another folder is not the one that PostgreSQL reads.
  if (code !== 0 || !there.has("plpgsql.so")) return [];
  return plain
    .filter((library) => !there.has(library) && !there.has(`${library}.so`))
    .map((library) => ({ name, reason: `names the library ${library}, which is not in the image` }));
}
