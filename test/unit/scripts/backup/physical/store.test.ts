import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  type ArchiveMetadata,
  archiveMetadataFile,
  formatArchiveMetadata,
} from "../../../../../scripts/backup/physical/metadata.ts";
import { applyArchiveRetention, findArchive, listArchives } from "../../../../../scripts/backup/physical/store.ts";
import { leftTemporary } from "../../../../support/left-temporary.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "archives-"));
});
afterEach(() => rm(folder, { recursive: true }));

const now = new Date("2026-11-30T12:00:00Z");

/** Writes an archive of an age in days. */
async function archive(id: string, days: number, content = "sound", source = "local"): Promise<ArchiveMetadata> {
  const finishedAt = new Date(now.getTime() - days * 86_400_000).toISOString();
  const metadata: ArchiveMetadata = {
    ...{ format: 1, id, source, compressed: true, recipients: [], startedAt: finishedAt, finishedAt, durationMs: 1 },
    ...{ server: { version: "17.6", major: 17 }, systemIdentifier: "7", timeline: 1, segmentBytes: 2 ** 24 },
    ...{ startLsn: "0/2000028", stopLsn: "0/2000120", segments: ["000000010000000000000002"] },
    ...{ databases: [], clusterBytes: 9, restore: "restore" },
    file: { name: "cluster.tar.gz", bytes: 5, sha256: createHash("sha256").update("sound").digest("hex") },
  };
  await mkdir(join(folder, id));
  await writeFile(join(folder, id, "cluster.tar.gz"), content);
  await writeFile(join(folder, id, archiveMetadataFile), formatArchiveMetadata(metadata));
  return metadata;
}
const states = async () => (await listArchives(folder)).map(({ id, state, reasons }) => [id, state, ...reasons]);

it("archives are listed newest first with their state, by sizes and descriptions only", async () => {
  await archive("old", 2);
  await archive("new", 1, "round");
  await archive("short", 3, "soun");
  await archive("gone", 4);
  await rm(join(folder, "gone", "cluster.tar.gz"));
  await archive("edited", 5);
  const text = formatArchiveMetadata({ ...(await archive("other", 6)), format: 1 });
  await writeFile(
    join(folder, "edited", archiveMetadataFile),
    text.replace('"old"', '"x"').replace("0/2000028", "0/3"),
  );
  await writeFile(join(folder, "other", archiveMetadataFile), text.replace('"format": 1', '"format": 2'));
  const unfinished = leftTemporary("later").replace(/.*\//, "");
  await mkdir(join(folder, unfinished));
  await mkdir(join(folder, "no-archive"));
  expect(await states()).toEqual([
    ["new", "complete"],
    ["old", "complete"],
    ["short", "damaged", "cluster.tar.gz has 4 bytes instead of 5"],
    ["gone", "damaged", "cluster.tar.gz is missing"],
    ...(await states()).slice(4),
  ]);
  expect((await states()).slice(4).sort()).toEqual(
    [
      ["edited", "damaged", "archive.json is damaged: its digest does not match"],
      [unfinished, "unfinished", "it was not completed"],
      ["other", "unknown", "archive.json has format 2, but this version of pgroundwork reads 1"],
    ].sort(),
  );
  expect((await findArchive(folder, "latest", "local")).id).toBe("new");
  await expect(findArchive(folder, "latest", "dev")).rejects.toThrow("a complete physical archive of this server");
  await expect(findArchive(folder, unfinished)).rejects.toThrow(`a physical archive "${unfinished}"`);
});

it("retention removes expired archives of the source, but never the newest sound one nor the one just made", async () => {
  const made = await archive("made", 0);
  await archive("expired", 40);
  await archive("older", 50);
  await archive("of-dev", 60, "sound", "dev");
  expect(await applyArchiveRetention(folder, made, 30, now)).toEqual(["expired", "older"]);
  expect((await readdir(folder)).sort()).toEqual(["made", "of-dev"]);
});

it("retention keeps the newest archive whose checksum matches if newer ones are damaged, whatever the clock says", async () => {
  const made = await archive("made", 45, "round");
  await archive("damaged", 41, "round");
  await archive("sound", 50);
  await archive("older", 51);
  expect(await applyArchiveRetention(folder, made, 30, now)).toEqual(["damaged", "older"]);
  expect((await readdir(folder)).sort()).toEqual(["made", "sound"]);
});
