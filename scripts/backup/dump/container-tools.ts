import type { Duplex, Readable } from "node:stream";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type Docker from "dockerode";
import tar from "tar-fs";
import type { Connection } from "../../connection/connection.ts";
import { OperationError } from "../../core/operation-error.ts";
import { withDocker } from "../../docker/client.ts";
import { OutputSplitter } from "../../docker/output-splitter.ts";
import { type OutwardRelay, relayOutward } from "../../docker/outward-relay.ts";
import { runInContainer } from "../../docker/run-in-container.ts";
import { withScratchContainer } from "../../docker/scratch-container.ts";
import type { ScratchDocker } from "../../scratch/request.ts";
import { scratchImage } from "../../scratch/scratch-image.ts";
import { passwordFile, programEnvironment, trustedCertificates } from "./program-environment.ts";
import { type DumpTools, type Program, ProgramError, type ProgramRun, socketFolder } from "./programs.ts";

/** Folder of the container in which programs read and write. */
const folder = "/tmp";

/**
 * Runs work with the programs of an image, in a container without a network. It reaches the stack's own server over its
 * socket, and any other server through this process. It ends when this process does.
 */
export async function withContainerTools<T>(
  { host, owner, imageOf }: ScratchDocker,
  onProgress: ((text: string) => void) | undefined,
  work: (tools: DumpTools) => Promise<T>,
): Promise<T> {
  return withDocker(host, async (docker) => {
    const image = await scratchImage(docker, { imageOf, extensions: [], onProgress });
    const socket = imageOf === undefined ? undefined : await socketVolumeOf(docker, imageOf);
    const spec = {
      image,
      owner,
      // It ends when its input does.
      command: ["sh", "-c", "cat >/dev/null"],
      endsWithInput: true,
      scratchFolders: [folder],
      ...(socket === undefined ? {} : { readOnlyVolumes: { [socketFolder]: socket } }),
    };
    return withScratchContainer(docker, spec, async (container) => {
      const input = (await container.attach({ stream: true, stdin: true, hijack: true })) as NodeJS.ReadWriteStream;
      input.on("error", () => {});
      await container.start();
      const relays = new Relays(docker, container.id);
      try {
        const { stdout } = await runInContainer(docker, container.id, { command: ["pg_dump", "--version"] });
        const version = /\) (\d+(?:\.\d+)?\S*)/.exec(stdout)?.[1] ?? "unknown";
        return await work(toolsIn(docker, container, relays, version, socket !== undefined));
      } finally {
        relays.close();
        input.end();
      }
    });
  });
}

/** Returns the volume with the socket of a server's container. */
async function socketVolumeOf(docker: Docker, server: string): Promise<string> {
  const { Mounts } = await docker.getContainer(server).inspect();
  const mount = Mounts.find(({ Destination }) => Destination === socketFolder);
  if (mount?.Name !== undefined) return mount.Name;
  throw new OperationError(`The container ${server} has no volume for its socket.`, {
    hint: "Run `up`, which creates the container again.",
  });
}

/** The relays of a container: one for each server, on a port of its own. */
class Relays {
  readonly #docker: Docker;
  readonly #container: string;
  readonly #relays = new Map<string, Promise<{ port: number; relay: OutwardRelay }>>();

  constructor(docker: Docker, container: string) {
    this.#docker = docker;
    this.#container = container;
  }

  /** Returns the port on the container's loopback that leads to a server. */
  async portFor({ host, port }: Connection): Promise<number> {
    const key = `${host}:${port}`;
    const number = 5432 + this.#relays.size;
    const started =
      this.#relays.get(key) ??
      relayOutward(this.#docker, this.#container, number, { host, port }).then((relay) => ({ port: number, relay }));
    this.#relays.set(key, started);
    return (await started).port;
  }

  close(): void {
    for (const started of this.#relays.values()) started.then(({ relay }) => relay.close()).catch(() => {});
  }
}

function toolsIn(
  docker: Docker,
  container: Docker.Container,
  relays: Relays,
  version: string,
  hasServerSocket: boolean,
): DumpTools {
  const run = async ({ program, args, connection, input, output, signal }: ProgramRun) => {
    signal.throwIfAborted();
    const environment = await connect(docker, container.id, relays, connection, program, hasServerSocket);
    await execute(docker, container, { program, args, environment, input, output, signal });
  };
  return {
    version,
    location: "the stack's image",
    hasServerSocket,
    run,
    async dumpFolder({ args, ...given }, to) {
      await run({ ...given, program: "pg_dump", args: [...args, `--file=${folder}/dump`] });
      const archive = (await container.getArchive({ path: `${folder}/dump/.` })) as Readable;
      // The files belong to the user of this process.
      await pipeline(archive, tar.extract(to, { dmode: 0o700, fmode: 0o600, chown: false } as tar.ExtractOptions), {
        signal: given.signal,
      });
    },
    async restoreFolder({ args, ...given }, from) {
      const owned = (header: tar.Headers) => ({ ...header, name: `load/${header.name}`, uid: 999, gid: 999 });
      const archive = tar.pack(from, { map: owned }) as unknown as NodeJS.ReadableStream;
      await container.putArchive(archive, { path: folder });
      await run({ ...given, program: "pg_restore", args: [...args, `${folder}/load`] });
    },
  };
}

/** Prepares a connection: its relay and its files. Returns the environment of the program. */
async function connect(
  docker: Docker,
  container: string,
  relays: Relays,
  connection: Connection,
  program: Program,
  hasServerSocket: boolean,
): Promise<Record<string, string>> {
  const files = { password: `${folder}/password`, ca: `${folder}/ca.pem` };
  if (hasServerSocket && connection.host === socketFolder) return programEnvironment(connection, program, files);
  const port = await relays.portFor(connection);
  await writeFile(docker, container, files.password, passwordFile(connection));
  await writeFile(docker, container, files.ca, await trustedCertificates(connection));
  const { host } = connection;
  // libpq connects to the address, and verifies the certificate for the host.
  const isSocket = host.startsWith("/");
  const reached = { ...connection, port, ...(isSocket ? { host: "127.0.0.1", sslmode: "disable" as const } : {}) };
  return { ...programEnvironment(reached, program, files), PGHOSTADDR: "127.0.0.1" };
}

/** Writes a file through standard input, because its content can be a secret. */
async function writeFile(docker: Docker, container: string, path: string, text: string): Promise<void> {
  const script = text === "" ? 'rm -f "$1"' : 'umask 077; cat >"$1"';
  const command = ["sh", "-c", script, "sh", path];
  const { code, stderr } = await runInContainer(docker, container, { command, input: text });
  if (code !== 0) throw new OperationError(`Cannot write ${path} in a scratch container: ${stderr.trim()}`);
}

interface Execution extends Pick<ProgramRun, "program" | "args" | "input" | "output" | "signal"> {
  environment: Readonly<Record<string, string>>;
}

async function execute(
  docker: Docker,
  container: Docker.Container,
  { program, args, environment, input, output, signal }: Execution,
): Promise<void> {
  const exec = await container.exec({
    Cmd: [program, ...args],
    AttachStdin: input !== undefined,
    AttachStdout: true,
    AttachStderr: true,
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
  });
  const stream = (await exec.start({ hijack: true, stdin: input !== undefined })) as Duplex;
  const splitter = new OutputSplitter();
  const sink = output ?? new Writable({ write: (_chunk, _encoding, done) => done() });
  let inputError: unknown;
  if (input !== undefined) {
    // A program that ends before it has read everything closes the stream. Its exit code says more.
    stream.on("error", () => {});
    input.once("error", (error) => {
      inputError = error;
      stream.destroy();
    });
    input.pipe(stream);
  }
  try {
    await pipeline(stream, splitter, sink, { signal });
  } catch (error) {
    throw inputError ?? error;
  }
  stream.destroy();
  const { ExitCode: code } = await docker.getExec(exec.id).inspect();
  if (code !== 0) throw new ProgramError(program, code ?? -1, splitter.errors);
}
