import { randomUUID } from "node:crypto";
import type Docker from "dockerode";
import type { DockerOwner } from "../docker/labels.ts";
import { runInContainer } from "../docker/run-in-container.ts";
import { withScratchContainer } from "../docker/scratch-container.ts";
import { OperationError } from "../errors/operation-error.ts";
import { renderConfiguration, type ServerSettings } from "../server/configuration.ts";
import { complaint, refuseSettings } from "../server/refusals.ts";
import type { SettingFault } from "../server/setting-faults.ts";

/** How long the container that judges may live, in seconds, should nobody take it away. */
const lifetime = "120";

/**
 * Has an image's own PostgreSQL judge settings, before a server trips over them: what it cannot read, values outside what it takes, libraries that are not there.
 *
 * @throws OperationError with every fault
 */
export async function checkSettingsInImage(
  docker: Docker,
  { image, owner }: { image: string; owner: Omit<DockerOwner, "role"> },
  settings: ServerSettings,
): Promise<void> {
  await withScratchContainer(
    docker,
    { image, owner, command: ["sleep", lifetime], user: "postgres" },
    async (container) => {
      await container.start();
      const judge = (some: ServerSettings) => judgeIn(docker, container.id, some);
      await refuseSettings(
        settings,
        await missingLibraries(docker, container.id, settings),
        await judge(settings),
        judge,
      );
    },
  );
}

async function judgeIn(docker: Docker, container: string, settings: ServerSettings): Promise<string | undefined> {
  const file = `/tmp/${randomUUID()}.conf`;
  const text = renderConfiguration(settings);
  // Read from its input, since a value may hold a secret. TLS files are there when the server starts, and are not judged here.
  const script = `umask 077; cat >${file}; exec postgres -D /tmp -c config_file=${file} -C data_directory`;
  const { code, stderr } = await runInContainer(docker, container, { command: ["sh", "-c", script], input: text });
  if (code === 0) return undefined;
  if (code < 0)
    throw new OperationError("Whether PostgreSQL takes the settings could not be told: the engine cut the check off.", {
      remedy: "Run it again; where that does not help, see the Docker engine's own log.",
    });
  return complaint(stderr.replaceAll(/^.*skipping missing configuration file.*\n/gm, ""), file, text);
}

/** A server that is to load a library that is not there does not start. Names with a folder are left to it. */
async function missingLibraries(docker: Docker, container: string, settings: ServerSettings): Promise<SettingFault[]> {
  const name = "shared_preload_libraries";
  const wanted = (settings[name] ?? "").split(",").map((library) => library.trim().replaceAll('"', ""));
  const plain = wanted.filter((library) => library !== "" && !library.includes("/"));
  if (plain.length === 0) return [];
  const { stdout } = await runInContainer(docker, container, {
    command: ["sh", "-c", 'ls "$(pg_config --pkglibdir 2>/dev/null || echo /usr/lib/postgresql/17/lib)"'],
  });
  const there = new Set(stdout.split("\n"));
  return plain
    .filter((library) => !there.has(library) && !there.has(`${library}.so`))
    .map((library) => ({ name, reason: `names the library ${library}, which the image does not have` }));
}
