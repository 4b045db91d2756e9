import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Docker from "dockerode";
import { withClient } from "../connection/client.ts";
import { poll } from "../core/poll.ts";
import { dockerClient } from "../docker/client.ts";
import { dockerError } from "../docker/docker-error.ts";
import { runInContainer } from "../docker/run-in-container.ts";
import { withScratchContainer } from "../docker/scratch-container.ts";
import { renderConfiguration } from "../server/configuration.ts";
import { listenForContainer } from "./container-relay.ts";
import { scratchSettings, scratchSuperuser } from "./embedded-cluster.ts";
import { removeAbandoned, scratchPrefix, writeHolder } from "./left-behind.ts";
import { NotTried, type ScratchCluster, type ScratchDocker, type ScratchRequest } from "./request.ts";
import { scratchImage } from "./scratch-image.ts";

/** Error if a container for a scratch cluster could not be started. */
export class ContainerStartError extends Error {}

/** Time limits in ms: of the engine's answer, and of the start of the server in a container. */
const engineTimeoutMs = 5_000;
const startTimeoutMs = 60_000;
const pollIntervalMs = 100;

const folder = "/tmp/scratch";
const socketFolder = "/tmp";

/**
 * Script of the container. It reads postgresql.conf from its input, and ends when the input ends. Trust authentication
 * is safe here, because the container has no network.
 */
const script = `set -e
initdb --pgdata=${folder}/data --username=${scratchSuperuser} --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions >/dev/null
while read -r line && [ "$line" != "# end" ]; do printf '%s\\n' "$line"; done >>${folder}/data/postgresql.conf
postgres -D ${folder}/data &
server=$!
cat >/dev/null
kill -QUIT "$server"
wait "$server"`;

/**
 * Starts a cluster in a container without a network and without volumes. Its socket in a temporary directory leads to
 * the container through the Docker engine's connection, so it also works with a remote engine. The container ends when
 * this process does.
 *
 * @throws ContainerStartError if it cannot be started; any error of `use`
 */
export async function withContainerCluster<T>(
  request: Omit<ScratchRequest, "docker">,
  { host, owner, imageOf }: ScratchDocker,
  use: (cluster: ScratchCluster) => Promise<T>,
): Promise<T> {
  const docker = await answering(host);
  const names = [...request.extensions, ...(request.wantedExtensions ?? [])];
  const image = await starting(
    () => scratchImage(docker, { imageOf, extensions: names, onProgress: request.onProgress }),
    host,
  );
  request.signal?.throwIfAborted();
  await removeAbandoned(tmpdir());
  const sockets = await mkdtemp(join(tmpdir(), scratchPrefix));
  await writeHolder(sockets);
  let isUsed = false;
  try {
    const spec = { image, owner, command: ["sh", "-c", script], scratchFolders: ["/tmp"], endsWithInput: true };
    return await withScratchContainer(docker, spec, async (container) => {
      const input = (await container.attach({ stream: true, stdin: true, hijack: true })) as NodeJS.ReadWriteStream;
      input.on("error", () => {});
      await container.start();
      input.write(`${renderConfiguration(settingsOf(request))}# end\n`);
      const relay = await listenForContainer(
        docker,
        container.id,
        join(sockets, ".s.PGSQL.5432"),
        `${socketFolder}/.s.PGSQL.5432`,
      );
      try {
        const superuser = {
          host: sockets,
          port: 5432,
          database: "postgres",
          user: scratchSuperuser,
          sslmode: "disable",
        } as const;
        const { major, extensions } = await untilReady(docker, container, superuser, request.signal);
        isUsed = true;
        return await use({ kind: "container", major, superuser, extensions, isConfined: true });
      } finally {
        relay.close();
        input.end();
      }
    });
  } catch (error) {
    if (isUsed || error instanceof ContainerStartError) throw error;
    request.signal?.throwIfAborted();
    throw startError(host, error);
  } finally {
    await rm(sockets, { recursive: true, force: true });
  }
}

async function answering(host: string | undefined): Promise<Docker> {
  return starting(async () => {
    const docker = dockerClient(host);
    const timeout = AbortSignal.timeout(engineTimeoutMs);
    const late = once(timeout, "abort").then(() => {
      throw new Error(`the Docker engine did not answer within ${engineTimeoutMs / 1_000} s`);
    });
    late.catch(() => {});
    await Promise.race([docker.ping(), late]);
    return docker;
  }, host);
}

async function starting<R>(work: () => Promise<R>, host: string | undefined): Promise<R> {
  return work().catch((error: unknown) => {
    throw startError(host, error);
  });
}

function startError(host: string | undefined, error: unknown): ContainerStartError {
  if (error instanceof NotTried) return new ContainerStartError(error.reason, { cause: error });
  const said = dockerError(host, error);
  const message = said instanceof Error ? said.message : String(said);
  return new ContainerStartError(message.replace(/\.$/, ""), { cause: error });
}

function settingsOf({ settings, memoryMb }: Pick<ScratchRequest, "settings" | "memoryMb">): Record<string, string> {
  return { ...scratchSettings(settings, memoryMb), listen_addresses: "", unix_socket_directories: socketFolder };
}

async function untilReady(
  docker: Docker,
  container: Docker.Container,
  superuser: ScratchCluster["superuser"],
  signal: AbortSignal | undefined,
): Promise<Pick<ScratchCluster, "major" | "extensions">> {
  let failure: Error | undefined;
  const attempt = async () => {
    try {
      return await withClient(superuser, async (client) => {
        const { rows } = await client.query<{ name: string; version: number }>(
          "select name, current_setting('server_version_num')::int as version from pg_available_extensions",
        );
        const major = Math.floor((rows[0]?.version ?? 0) / 10_000);
        return { major, extensions: new Set(rows.map(({ name }) => name)) };
      });
    } catch (error) {
      failure = error as Error;
      const { State } = await container.inspect();
      if (State.Running) return undefined;
      throw new ContainerStartError(`the server in it ended with ${State.ExitCode}`, { cause: error });
    }
  };
  const timedOut = async () => {
    const { stdout } = await runInContainer(docker, container.id, { command: ["ls", folder] });
    return new ContainerStartError(`the server in it does not answer (${failure?.message}; ${stdout.trim()})`);
  };
  return poll(attempt, { intervalMs: pollIntervalMs, timeoutMs: startTimeoutMs, signal, timedOut });
}
