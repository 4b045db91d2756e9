import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type Docker from "dockerode";
import tar from "tar-fs";
import { extract } from "tar-stream";
import { z } from "zod";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { removeLeftTemporaries, temporaryFor } from "../../core/temporary.ts";
import { unlessMissing } from "../../docker/docker-error.ts";
import { runInContainer } from "../../docker/run-in-container.ts";
import { isRunning } from "../../docker/server/running.ts";
import { type DumpMetadata, parseMetadata } from "./metadata.ts";
import {
  type FileComparison,
  loadFailures,
  type RemoteDump,
  readDump,
  type StoredDump,
  validationSchema,
} from "./store.ts";

/** Folder of scheduled dumps in the container that makes them. It matches infra/images/postgres. */
const folder = "/var/lib/pgroundwork/dumps";

const listSchema = z.array(
  z.object({
    id: z.string(),
    /** Damage of its files. */
    reasons: z.array(z.string()),
    metadata: z.string(),
    /** Absent in images of earlier versions. */
    validation: validationSchema.nullish(),
  }),
);

/**
 * Lists the dumps that a stack's container made on its schedule, newest first. The container compares every file with
 * its checksum, or only its size.
 *
 * @throws OperationError if the container does not run, or cannot read its volume
 */
export async function listScheduledDumps(
  docker: Docker,
  container: string,
  comparison: FileComparison = "checksums",
): Promise<StoredDump[]> {
  return readFromContainer(docker, container, ["list", ...(comparison === "sizes" ? ["sizes"] : [])]);
}

/**
 * Finds a scheduled dump and compares its files with their checksums. They stay where they are: a validation reads them
 * through the Docker engine, and stores its result beside them.
 *
 * @throws OperationError if there is no such dump, or the container does not run
 */
export async function findScheduledDump(
  docker: Docker,
  container: string,
  id: string,
): Promise<StoredDump & { metadata: DumpMetadata }> {
  const [found] = /^\w[\w.-]*$/.test(id) ? await readFromContainer(docker, container, ["show", id]) : [];
  if (found === undefined) throw noScheduledDump(id);
  if (found.metadata === undefined)
    throw new OperationError(`The dump ${found.id} cannot be used: ${found.reasons.join("; ")}.`);
  const remote: RemoteDump = {
    open: (file) => openInContainer(docker, container, `${folder}/${id}/${file}`),
    record: async (validation) => {
      const command = ["scheduled-dump", "validated", id];
      const input = `${JSON.stringify(validation, null, 2)}\n`;
      const { code, stderr } = await runInContainer(docker, container, { command, input });
      if (code !== 0) throw new OperationError(`The result for the dump ${id} cannot be stored: ${stderr.trim()}`);
    },
  };
  return { ...found, metadata: found.metadata, remote };
}

/** Reads a file of a container, which can be large. */
async function openInContainer(docker: Docker, container: string, path: string): Promise<Readable> {
  const archive = (await docker.getContainer(container).getArchive({ path })) as Readable;
  const content = new PassThrough();
  const entries = extract();
  // Before any data arrives: an entry that no one listens for is lost, and the content would never end.
  entries.on("entry", (_header, entry, next) => {
    entry.once("end", next);
    // A reader that has enough closes the content, which is an error of the entry.
    entry.on("error", (error) => content.destroy(error));
    entry.pipe(content);
  });
  pipeline(archive, entries).then(
    () => content.end(),
    (error: Error) => content.destroy(error),
  );
  // An open answer of the engine would keep this process running.
  return content.once("close", () => archive.destroy());
}

async function readFromContainer(docker: Docker, container: string, args: readonly string[]): Promise<StoredDump[]> {
  if (!(await isRunning(docker, container)))
    throw new OperationError(`The container ${container}, which has the scheduled dumps, is not running.`, {
      hint: "Run `up`, which starts it.",
    });
  const command = ["scheduled-dump", ...args];
  const { code, stdout, stderr } = await runInContainer(docker, container, { command });
  if (code !== 0)
    throw new OperationError(`The scheduled dumps cannot be read: ${stderr.trim().split("\n").at(-1)}`, {
      hint: "Run `up`, if the stack has an image of an earlier version.",
    });
  return listSchema.parse(JSON.parse(stdout)).map(toStoredDump);
}

function toStoredDump({ id, reasons: damage, metadata, validation }: z.output<typeof listSchema>[number]): StoredDump {
  const path = `${folder}/${id}`;
  const parsed = parseMetadata(metadata);
  if ("reason" in parsed)
    return { id, path, state: "damaged", reasons: damage, damage: [...new Set([...damage, parsed.reason])] };
  const reasons = [...damage, ...loadFailures(validation ?? undefined)];
  const state = reasons.length === 0 ? "intact" : "damaged";
  return { id, path, state, reasons, damage, metadata: parsed.metadata, ...(validation && { validation }) };
}

/**
 * Copies a scheduled dump from a stack's container, which can be stopped, into a folder. There, `dumps validate` and
 * `dumps load` find it. The copy exists once all its files have their checksums.
 *
 * @throws OperationError if there is no such dump, or it is damaged
 */
export async function fetchScheduledDump(
  docker: Docker,
  container: string,
  id: string,
  to: string,
): Promise<StoredDump> {
  const known = await readDump(to, id);
  if (known !== undefined) {
    if (known.state === "intact") return known;
    throw new OperationError(`${to} has a dump ${id} that is ${known.state}: ${known.reasons.join("; ")}.`, {
      hint: "Remove its folder, then run again.",
    });
  }
  const archive = /^[\w.-]+$/.test(id)
    ? await unlessMissing(docker.getContainer(container).getArchive({ path: `${folder}/${id}/.` }))
    : undefined;
  if (archive === undefined) throw noScheduledDump(id);
  await removeLeftTemporaries(to);
  const temporary = temporaryFor(join(to, id));
  try {
    // The files belong to the user of this process.
    const options = { dmode: 0o700, fmode: 0o600, chown: false } as tar.ExtractOptions;
    await pipeline(archive as Readable, tar.extract(temporary, options));
    await rename(temporary, join(to, id));
    const copy = await readDump(to, id);
    if (copy?.state === "intact") return copy;
    await rm(join(to, id), { recursive: true, force: true });
    const reasons = copy === undefined ? "it has no metadata.json" : copy.reasons.join("; ");
    throw new OperationError(`The dump ${id} in the volume is damaged: ${reasons}. Nothing was copied.`);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function noScheduledDump(id: string): OperationError {
  return new OperationError(`There is no scheduled dump "${id}".`, {
    hint: "`npm run pgw -- dumps list --scheduled` shows them.",
    exitCode: exitCode.usage,
  });
}
