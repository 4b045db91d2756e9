import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dueLockOf, makeDueDumps } from "../../../../../scripts/backup/dump/make-due.ts";
import { findDamagedDumps, newestDumps } from "../../../../../scripts/backup/dump/newest.ts";
import { findDue, plannedDumps } from "../../../../../scripts/backup/dump/planned.ts";
import { findOverdue } from "../../../../../scripts/backup/dump/planned-state.ts";
import { listDumps } from "../../../../../scripts/backup/dump/store.ts";
import { FolderLock } from "../../../../../scripts/core/folder-lock.ts";
import { writeDump } from "./metadata.ts";

const now = new Date("2026-11-30T12:00:00.000Z");
const plan = { schedule: "0 6 * * *", retentionDays: 30, recipients: [] };
const full = plannedDumps(plan, ["shop"]);
const both = plannedDumps({ ...plan, schemaOnly: { schedule: "0 6 * * 0", retentionDays: 365 } }, ["shop"]);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pgw-planned-dumps-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (time: string) => new Date(`2026-11-${time}.000Z`);
const place = () => ({ folder, source: "local" });
const isDue = async (planned = full) => (await findDue(place(), planned, now)).due.length > 0;
const damage = (id: string) => writeFile(join(folder, id, "dump.pgdump"), `ROWS of ${id}`);

describe("a planned dump", () => {
  it("is due if there is none, and until an intact one began after the last moment of the schedule", async () => {
    expect(await isDue()).toBe(true);
    await writeDump(folder, at("30T05:59:59"));
    expect(await isDue()).toBe(true);
    const newest = await writeDump(folder, at("30T06:00:00"));
    const next = "2026-12-01T06:00:00.000Z";
    expect(await findDue(place(), full, now)).toEqual({
      due: [],
      later: [{ database: "shop", scope: "full", newest, next }],
    });
  });

  it("is due if the newest one is damaged, also by one changed byte, and another one before is too old", async () => {
    await writeDump(folder, at("29T06:00:00"));
    const newest = await writeDump(folder, at("30T06:00:00"));
    expect(await isDue()).toBe(false);
    await damage(newest);
    expect(await isDue()).toBe(true);
    await writeDump(folder, at("30T06:07:00"));
    expect(await isDue()).toBe(false);
  });

  it("is not made up for by another database, stack or scope, by the dump before a load, or by a wrong clock", async () => {
    await writeDump(folder, at("30T07:00:00"), { database: "other" });
    await writeDump(folder, at("30T07:00:00"), { source: "dev" });
    await writeDump(folder, at("30T07:00:00"), { scope: "schema" });
    await writeDump(folder, at("30T08:00:00"), { reason: "before-load" });
    await writeDump(folder, at("30T13:00:00"));
    expect(await isDue()).toBe(true);
    expect(await isDue(both)).toBe(true);
    await writeDump(folder, at("30T09:00:00"), { reason: "scheduled" });
    expect(await isDue()).toBe(false);
    expect(await isDue(both)).toBe(false);
  });
});

describe("planned dumps that are made if they are due", () => {
  const signal = new AbortController().signal;
  const made: string[] = [];
  const request = () => ({
    ...{ ...place(), planned: both, retentionDays: 30, compressed: true, recipients: [], env: {}, signal },
    onStep: () => {},
    onMade: ({ id }: { id: string }) => made.push(id),
    targetOf: (database: string) => Promise.reject(new Error(`${database} cannot be reached`)),
  });

  it("are left to another process that makes them, and its lock is no dump", async () => {
    const release = await new FolderLock(folder, dueLockOf(place())).take();
    expect(await makeDueDumps(request())).toEqual({ outcome: "busy" });
    expect(await listDumps(folder)).toEqual([]);
    await release?.();
    await expect(makeDueDumps(request())).rejects.toThrow("2 of 2 dumps could not be made:");
  });

  it("are all tried if one fails, and the error has the reason of each", async () => {
    await expect(makeDueDumps(request())).rejects.toThrow(
      "2 of 2 dumps could not be made:\n- shop: shop cannot be reached\n- shop (schema only): shop cannot be reached",
    );
    await expect(makeDueDumps({ ...request(), planned: full })).rejects.toThrow(/^shop cannot be reached$/);
    expect(made).toEqual([]);
    // The lock is free again.
    await expect(makeDueDumps(request())).rejects.toThrow("2 of 2");
  });
});

describe("the state of planned dumps", () => {
  const findings = async (planned = full) =>
    (await findOverdue(place(), planned, now)).map(({ level, text }) => `${level}: ${text}`);

  it("is not known without a dump, and wrong once the newest is older than two intervals", async () => {
    expect(await findings()).toEqual([`unknown: There is no intact dump of shop in ${folder}.`]);
    await writeDump(folder, at("28T11:59:59"));
    expect(await findings()).toEqual([
      "wrong: The last intact dump of shop started at 2026-11-28T11:59:59.000Z, 2 days ago; at most 2 days are allowed.",
    ]);
    await writeDump(folder, at("28T12:00:00"));
    expect(await findings()).toEqual([]);
    expect(await findings(both)).toEqual([`unknown: There is no intact dump of shop (schema only) in ${folder}.`]);
    await writeDump(folder, at("17T06:00:00"), { scope: "schema" });
    expect(await findings(both)).toEqual([]);
  });

  it("does not count a dump whose file is missing or has another size", async () => {
    const id = await writeDump(folder, at("30T06:00:00"));
    await appendFile(join(folder, id, "dump.pgdump"), "x");
    expect(await findings()).toEqual([`unknown: There is no intact dump of shop in ${folder}.`]);
  });
});

describe("the newest dumps of a stack", () => {
  it("are one for each database and scope, intact by size, and the damaged ones are findings", async () => {
    await writeDump(folder, at("29T06:00:00"));
    const newest = await writeDump(folder, at("30T06:00:00"), { recipients: ["age1"] });
    await damage(newest);
    const schema = await writeDump(folder, at("30T07:00:00"), { scope: "schema" });
    const broken = await writeDump(folder, at("30T08:00:00"));
    await rm(join(folder, broken, "dump.pgdump"));
    await writeDump(folder, at("30T09:00:00"), { source: "dev" });
    await rm(join(folder, await writeDump(folder, at("30T10:00:00"), { source: "dev" }), "dump.pgdump"));
    const dumps = await listDumps(folder, undefined, "sizes");
    const listed = newestDumps(dumps, { source: "local", location: "folder", now });
    expect(listed.map(({ id, scope, encrypted }) => [id, scope, encrypted])).toEqual([
      [newest, "full", true],
      [schema, "schema", false],
    ]);
    expect(listed[0]).toMatchObject({ location: "folder", ageSeconds: 21_599, validated: null, reason: "requested" });
    expect(findDamagedDumps(dumps, "local", "DIR").map(({ level, text }) => `${level}: ${text}`)).toEqual([
      `wrong: The dump ${broken} in DIR is damaged: dump.pgdump is missing.`,
    ]);
    // Only the checksums show the changed byte.
    expect((await listDumps(folder)).find(({ id }) => id === newest)?.state).toBe("damaged");
  });
});
