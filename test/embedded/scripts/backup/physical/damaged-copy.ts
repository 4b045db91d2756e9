import { createWriteStream } from "node:fs";
import { copyFile, mkdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { extract, pack } from "tar-stream";
import { hashFile, openFile } from "../../../../../scripts/backup/dump/dump-file.ts";
import {
  type ArchiveMetadata,
  archiveMetadataFile,
  formatArchiveMetadata,
} from "../../../../../scripts/backup/physical/metadata.ts";

/** Damage of an archive. If its content is changed, its description has the checksum of the changed file. */
interface Damage {
  truncated?: boolean;
  /** A byte of the file is changed. */
  flipped?: boolean;
  /** A file of the cluster is missing. */
  without?: string;
  /** The middle of the first page of a file of the cluster is overwritten. */
  overwritten?: string;
  described?: Partial<ArchiveMetadata>;
}

/** Copies an archive to another folder with damage. */
export async function damagedCopy(
  folder: string,
  metadata: ArchiveMetadata,
  to: string,
  { truncated, flipped, without, overwritten, described }: Damage,
): Promise<void> {
  const { id, file } = metadata;
  const [from, path] = [join(folder, id, file.name), join(to, id, file.name)];
  await mkdir(join(to, id), { recursive: true });
  if (without === undefined && overwritten === undefined) await copyFile(from, path);
  else await repack(from, path, without, overwritten);
  const stored = without === undefined && overwritten === undefined ? file : { ...file, ...(await hashFile(path)) };
  await writeFile(
    join(to, id, archiveMetadataFile),
    formatArchiveMetadata({ ...metadata, ...described, file: stored }),
  );
  if (truncated) await truncate(path, file.bytes - 1);
  if (flipped) {
    const content = await readFile(path);
    const at = content.length >> 1;
    content[at] = (content[at] ?? 0) ^ 1;
    await writeFile(path, content);
  }
}

async function repack(from: string, to: string, without = "", overwritten = ""): Promise<void> {
  const [entries, packed] = [extract(), pack()];
  const read = pipeline(await openFile(from, undefined), entries);
  const written = pipeline(packed, createGzip({ level: 1 }), createWriteStream(to));
  for await (const entry of entries) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const content = Buffer.concat(chunks);
    const { name, type, mode } = entry.header;
    if (name === `cluster/${without}`) continue;
    if (name === `cluster/${overwritten}`) content.fill(7, 4_000, 4_100);
    const header = { name, type, ...(mode === undefined ? {} : { mode }) };
    if (type === "directory") packed.entry(header);
    else packed.entry({ ...header, size: content.length }, content);
  }
  packed.finalize();
  await Promise.all([read, written]);
}
