import { rm } from "node:fs/promises";
import { join } from "node:path";
import type Docker from "dockerode";
import { withClient } from "../../connection/client.ts";
import { type Connection, inDatabase } from "../../connection/connection.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { temporaryFor } from "../../core/temporary.ts";
import type { VolumeSpace } from "../../docker/server/disk-space.ts";
import type { ScratchDocker } from "../../scratch/request.ts";
import { copyDatabaseProperties, databaseExists } from "../database-properties.ts";
import { createDump, type DumpSource } from "../dump/create.ts";
import { type Loaded, type LoadOptions, loadDump } from "../dump/load.ts";
import { type LoadPlan, planLoad } from "../dump/load-plan.ts";
import type { DumpMetadata } from "../dump/metadata.ts";
import { readDump } from "../dump/store.ts";
import type { StackBackups } from "../stack-backups.ts";
import type { RestoreRequest } from "./request.ts";
import { type Restored, restoreBackup } from "./restore.ts";
import { withRestoredServer } from "./restored-server.ts";
import { requireSpace } from "./space.ts";

/** Arguments of {@link restoreOnly}. */
export interface OnlyRequest extends Omit<RestoreRequest, "to" | "examine"> {
  /** Database of the backup. */
  database: string;
  /** The stack's database of this name, or a new one. */
  into: string;
  /** Login to the database in `into`, which does not have to exist. */
  target: DumpSource;
  /** Login to another database of the stack's server. */
  maintenance: Connection;
  docker: ScratchDocker;
  options: Omit<LoadOptions, "migrate" | "identityFile">;
  /** Called before the stack's server is changed. Throws an error to leave it as it is. */
  confirm: (plan: LoadPlan, copy: DumpMetadata, space: NeededSpace) => Promise<void>;
}

/** Space in the volume of the stack's server. */
export interface NeededSpace extends VolumeSpace {
  /** Bytes of the restored database. */
  neededBytes: number;
}

/** Result of {@link restoreOnly}. */
export interface OnlyRestored {
  restored: Restored;
  loaded: Loaded;
}

/**
 * Restores one database of a backup. The whole cluster is restored into a scratch volume, and verified there; the
 * database is then dumped from it and loaded into the stack's server, where it is compared row by row. A database that
 * it replaces is dumped first. The stack's other databases are not touched.
 *
 * @throws OperationError; then the stack's server is as before
 */
export async function restoreOnly(docker: Docker, stack: StackBackups, request: OnlyRequest): Promise<OnlyRestored> {
  const { database, into, target, maintenance, options } = request;
  // A restore of the whole cluster can take hours.
  if (into !== database) await requireFree(maintenance, into);
  // It has all rows in plain text, and goes in any case.
  const folder = temporaryFor(join(options.folder, `only-${into}`));
  try {
    let copy: DumpMetadata | undefined;
    const examine = async (container: string) => {
      const source = { database, name: stack.owner.stack, docker: { ...request.docker, imageOf: container } };
      copy = await withRestoredServer(docker, container, async (login) =>
        dumpCopy({ ...source, connection: { ...login, database } }, folder, options),
      );
    };
    const restored = await restoreBackup(docker, stack, { ...request, to: { kind: "scratch" }, examine });
    if (copy === undefined) throw new Error("The restored server was not examined.");
    requireProven(restored, database);
    const dump = await readDump(folder, copy.id);
    if (dump?.metadata === undefined || dump.state !== "intact")
      throw new OperationError(`The dump of the restored database is damaged: ${dump?.reasons.join("; ")}.`);
    const plan = await planLoad(maintenance, into, dump.metadata);
    if (into !== database && plan.existing !== undefined) throw existsAlready(into);
    const neededBytes = restored.databases.find((each) => each.database === database)?.size ?? 0;
    const what = `the restored database "${database}"`;
    // The replaced one is dropped only after the restored one was loaded.
    const space = await requireSpace(docker, stack.server, neededBytes, what);
    await request.confirm(plan, dump.metadata, { ...space, neededBytes });
    const given = { ...options, identityFile: undefined, migrate: undefined };
    const loaded = await loadDump({ ...dump, metadata: dump.metadata }, target, maintenance, plan, given);
    if (into !== database) await closeToOthers(maintenance, database, into);
    return { restored, loaded };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function requireFree(maintenance: Connection, name: string): Promise<void> {
  const isTaken = await withClient(maintenance, (client) => databaseExists(client, name));
  if (isTaken) throw existsAlready(name);
}

function existsAlready(name: string): OperationError {
  return new OperationError(`The database "${name}" exists already. Nothing was changed.`, {
    hint: "Name another one with --into, or omit it to replace the database itself.",
    exitCode: exitCode.notAllowed,
  });
}

async function dumpCopy(
  source: DumpSource,
  folder: string,
  { jobs, env, signal, onStep }: OnlyRequest["options"],
): Promise<DumpMetadata> {
  const postgres = inDatabase(source.connection, "postgres");
  const exists = await withClient(postgres, (client) => databaseExists(client, source.database));
  if (!exists)
    throw new OperationError(`The backup has no database "${source.database}" at this point.`, {
      hint: "`npm run pgw -- backup list` shows the databases of each backup.",
      exitCode: exitCode.usage,
    });
  return createDump(source, {
    ...{ folder, kind: "custom", scope: "full", globals: false, compressed: true, recipients: [], reason: "requested" },
    ...{ jobs, env, signal, onStep },
    restoreCommand: () => "",
  });
}

/** A database must not be replaced by one that lacks rows. */
function requireProven({ incompleteReason, unproven }: Restored, database: string): void {
  const reason = incompleteReason ?? unproven.find((each) => each.database === database)?.reason;
  if (reason === undefined) return;
  throw new OperationError(`The restored copy cannot be relied on, so nothing was changed: ${reason}`, {
    hint: "Restore another point, or look at the copy first: --to-volume NAME.",
    exitCode: exitCode.wrong,
  });
}

/** Gives a new database the privileges of the one that it is a copy of. A new one lets every role connect. */
async function closeToOthers(maintenance: Connection, database: string, into: string): Promise<void> {
  await withClient(maintenance, async (client) => {
    if (await databaseExists(client, database)) await copyDatabaseProperties(client, database, into);
    else await client.query(`revoke all on database ${client.escapeIdentifier(into)} from public`);
  });
}
