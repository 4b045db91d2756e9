import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DumpMetadata, formatMetadata, metadataFile } from "../../../../../scripts/backup/dump/metadata.ts";

/** Returns the description of a dump of the database shop, with some members replaced. */
export function metadataOf(changed: Partial<DumpMetadata> = {}): DumpMetadata {
  return {
    format: 1,
    id: "local-shop-20261129T060000000Z",
    database: "shop",
    source: "local",
    scope: "full",
    kind: "custom",
    compressed: true,
    recipients: [],
    reason: "requested",
    startedAt: "2026-11-29T06:00:00.000Z",
    finishedAt: "2026-11-29T06:00:01.000Z",
    durationMs: 1_000,
    server: { version: "17.6", major: 17 },
    programs: "17.6",
    content: {
      encoding: "UTF8",
      provider: "i",
      collate: "C.UTF-8",
      ctype: "C.UTF-8",
      locale: "und",
      extensions: [],
      roles: ["shop_owner"],
      owner: "shop_owner",
      bootstrapSuperuser: "postgres",
      migrations: ["000001.sql"],
      tables: [{ table: "public.item", rows: 2, checksum: "17" }],
      largeObjects: 0,
    },
    files: [],
    bytes: 0,
    restore: "npm run db:restore -- local-shop-20261129T060000000Z",
    ...changed,
  };
}

/** Writes a dump of the database shop that ended a second after it started, with one small file. Returns its name. */
export async function writeDump(folder: string, startedAt: Date, changed: Partial<DumpMetadata> = {}): Promise<string> {
  const { source = "local", database = "shop", scope = "full" } = changed;
  const id = `${source}-${database}-${startedAt.toISOString().replaceAll(/[-:.]/g, "")}-${scope}`;
  const content = `rows of ${id}`;
  const file = {
    name: "dump.pgdump",
    bytes: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  };
  const finishedAt = new Date(startedAt.getTime() + 1_000).toISOString();
  const times = { startedAt: startedAt.toISOString(), finishedAt };
  await mkdir(join(folder, id), { recursive: true });
  await writeFile(join(folder, id, file.name), content);
  const metadata = metadataOf({ id, ...times, files: [file], bytes: file.bytes, ...changed });
  await writeFile(join(folder, id, metadataFile), formatMetadata(metadata));
  return id;
}
