import { withClient } from "../../connection/client.ts";
import { inDatabase } from "../../connection/connection.ts";
import { embeddedExtensions, withEmbeddedCluster } from "../../scratch/embedded-cluster.ts";
import { NotTried, type ScratchCluster, type ScratchDocker, scratchMajor } from "../../scratch/request.ts";
import { beginSnapshot, compareContent, lockTables, readContent } from "./content.ts";
import { createDatabaseStatement, loadFiles, requireReadable } from "./load-files.ts";
import type { DumpMetadata } from "./metadata.ts";
import { type DumpTools, ProgramError } from "./programs.ts";
import { type StoredDump, type Validation, writeValidation } from "./store.ts";
import { withDumpTools } from "./tools.ts";

/** Options of {@link validateDump}. */
export interface ValidateOptions {
  docker: ScratchDocker | undefined;
  identityFile: string | undefined;
  jobs: number;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  onStep: (step: string) => void;
}

/** Answer of {@link validateDump}. `could-not-run` says nothing about the dump. */
export type ValidationResult = Validation | { state: "could-not-run"; reason: string };

/** Name of the database in the scratch cluster. */
const database = "loaded";

/** shared_buffers of the scratch cluster, in MB. */
const memoryMb = 128;

/**
 * Loads a dump into a scratch cluster, reads every row, and compares the contents with those that were recorded when
 * the dump was made. The result is stored beside the dump, unless the validation could not run.
 */
export async function validateDump(
  dump: StoredDump & { metadata: DumpMetadata },
  options: ValidateOptions,
): Promise<ValidationResult> {
  const { metadata } = dump;
  if (dump.damage.length > 0) return record(dump, dump.damage);
  if (metadata.server.major !== scratchMajor) {
    const reason = `it is a dump of PostgreSQL ${metadata.server.major}, and scratch clusters have version ${scratchMajor}`;
    return { state: "could-not-run", reason };
  }
  await requireReadable(dump, options.identityFile);
  const place = { major: scratchMajor, docker: options.docker, env: options.env, onProgress: options.onStep };
  try {
    return await withDumpTools(place, (tools) =>
      withCluster(dump, options, async (cluster) => record(dump, await loadAndCompare(tools, cluster, dump, options))),
    );
  } catch (error) {
    if (error instanceof NotTried) return { state: "could-not-run", reason: error.reason };
    throw error;
  }
}

async function record(dump: StoredDump, reasons: string[]): Promise<Validation> {
  const validation = {
    state: reasons.length === 0 ? "passed" : "failed",
    at: new Date().toISOString(),
    reasons,
  } as const;
  await writeValidation(dump, validation);
  return validation;
}

/**
 * Starts the scratch cluster: in a container if the stack's server runs in one or the extensions need it, otherwise on
 * the embedded binaries.
 */
async function withCluster<T>(
  { metadata }: { metadata: DumpMetadata },
  { docker, signal, onStep }: ValidateOptions,
  work: (cluster: ScratchCluster) => Promise<T>,
): Promise<T> {
  const extensions = metadata.content.extensions.map(({ name }) => name);
  const available = await embeddedExtensions();
  const missing = extensions.filter((name) => !available.has(name));
  const request = { major: scratchMajor, extensions, settings: {}, memoryMb, signal, onProgress: onStep };
  onStep("starting a scratch cluster");
  if (docker !== undefined && (docker.imageOf !== undefined || missing.length > 0)) {
    const { ContainerStartError, withContainerCluster } = await import("../../scratch/container-cluster.ts");
    try {
      return await withContainerCluster(request, docker, work);
    } catch (error) {
      if (!(error instanceof ContainerStartError)) throw error;
      if (missing.length > 0) throw new NotTried(`no container could be started: ${error.message}`);
    }
  }
  if (missing.length > 0) throw new NotTried(`the embedded PostgreSQL does not have ${missing.join(", ")}`);
  return withEmbeddedCluster(request, available, work);
}

async function loadAndCompare(
  tools: DumpTools,
  { superuser, major }: ScratchCluster,
  dump: StoredDump & { metadata: DumpMetadata },
  { identityFile, jobs, signal, onStep }: ValidateOptions,
): Promise<string[]> {
  const { content, server, scope } = dump.metadata;
  await withClient(superuser, async (client) => {
    const roles = new Set([...content.roles, content.bootstrapSuperuser].filter((name) => name !== superuser.user));
    for (const role of roles) await client.query(`create role ${client.escapeIdentifier(role)} nologin`);
    // Those of the embedded binaries need no library at the start of the server.
    const embedded = await embeddedExtensions();
    for (const { name } of content.extensions) if (!embedded.has(name)) await requireExtension(client, name);
    await client.query(createDatabaseStatement(client, database, content)).catch((error: Error) => {
      throw new NotTried(`the scratch cluster cannot have such a database: ${error.message}`, { cause: error });
    });
  });
  const connection = inDatabase(superuser, database);
  onStep("loading the dump");
  try {
    await loadFiles(tools, dump, { connection, identityFile, jobs, isTrial: true, signal });
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    return [error.message];
  }
  onStep("reading every row");
  return withClient(connection, async (client) => {
    await client.query(beginSnapshot);
    const found = await readContent(client, await lockTables(client), { scope: "full", signal });
    return compareContent(content, found, { scope, sameMajor: major === server.major });
  });
}

/** Tries an extension in the cluster. Some can be created only in a server that was started with their library. */
async function requireExtension(client: Parameters<Parameters<typeof withClient>[1]>[0], name: string): Promise<void> {
  const id = client.escapeIdentifier(name);
  await client
    .query(`create extension if not exists ${id} cascade; drop extension ${id} cascade`)
    .catch((error: Error) => {
      throw new NotTried(`the scratch cluster cannot have the extension ${name}: ${error.message}`, { cause: error });
    });
}
