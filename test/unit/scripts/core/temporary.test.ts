import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  isTemporary,
  leftTemporaries,
  removeIfLeft,
  removeLeftOf,
  removeLeftTemporaries,
  temporaryFor,
} from "../../../../scripts/core/temporary.ts";
import { leftTemporary, temporaryElsewhere } from "../../../support/left-temporary.ts";

const minute = 60_000;
let folder: string;
const started: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "temporary-"));
});
afterEach(async () => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

/** Starts another process that is writing a file: its temporary file exists. */
async function startWriting(path: string): Promise<ChildProcess> {
  const module = fileURLToPath(new URL("../../../../scripts/core/temporary.ts", import.meta.url));
  const program = `import { writeFileSync } from "node:fs";
    import { temporaryFor } from ${JSON.stringify(module)};
    writeFileSync(temporaryFor(${JSON.stringify(path)}), "half");
    console.log("writing");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.push(child);
  await once(child.stdout, "data");
  return child;
}

async function writeAged(path: string, ageMs: number): Promise<string> {
  await writeFile(path, "");
  const then = new Date(Date.now() - ageMs);
  await utimes(path, then, then);
  return path;
}

it("a temporary file stays while its writer runs, and is removed after the writer was killed", async () => {
  const writer = await startWriting(join(folder, "record.json"));
  const [name = ""] = await readdir(folder);
  expect(isTemporary(name)).toBe(true);
  expect(await removeLeftTemporaries(folder)).toEqual([]);
  writer.kill("SIGKILL");
  await once(writer, "exit");
  expect(await removeLeftTemporaries(folder)).toEqual([join(folder, name)]);
  expect(await readdir(folder)).toEqual([]);
});

it("a temporary file of this process stays at any age", async () => {
  const own = await writeAged(temporaryFor(join(folder, "record.json")), 24 * 60 * minute);
  await removeIfLeft(own);
  expect(await removeLeftTemporaries(folder)).toEqual([]);
  expect(existsSync(own)).toBe(true);
});

it("a temporary file is removed if another process now has its writer's pid", async () => {
  const left = leftTemporary(join(folder, "record.json"));
  await writeFile(left, "");
  expect(await leftTemporaries(folder)).toEqual([left]);
});

it("a temporary file of another machine is removed ten minutes after its last change", async () => {
  const left = await writeAged(temporaryElsewhere(join(folder, "old")), 11 * minute);
  await writeAged(temporaryElsewhere(join(folder, "young")), 9 * minute);
  expect(await leftTemporaries(folder)).toEqual([left]);
});

it("a temporary folder of another machine stays while any file in it changes", async () => {
  const staging = temporaryElsewhere(join(folder, "binaries"));
  await mkdir(join(staging, "bin"), { recursive: true });
  const file = await writeAged(join(staging, "bin", "postgres"), minute);
  const then = new Date(Date.now() - 60 * minute);
  for (const path of [join(staging, "bin"), staging]) await utimes(path, then, then);
  expect(await leftTemporaries(folder)).toEqual([]);
  await utimes(file, then, then);
  expect(await leftTemporaries(folder)).toEqual([staging]);
});

it("the temporary files of one path are removed without those of others", async () => {
  const one = leftTemporary(join(folder, "one"));
  const other = leftTemporary(join(folder, "one.more"));
  for (const staging of [one, other]) await mkdir(join(staging, "below"), { recursive: true });
  expect(await removeLeftOf(join(folder, "one"))).toEqual([one]);
  expect(readdirSync(folder)).toHaveLength(1);
});

it("files with other names stay, and a missing folder has no temporary files", async () => {
  const names = ["notes.pgw-tmp", "record.json.12-34-56.pgw-tmp", "record.json", "local.json.18e9fe72b84083af.tmp"];
  for (const name of names) await writeAged(join(folder, name), 24 * 60 * minute);
  expect(await removeLeftTemporaries(folder)).toEqual([]);
  expect(await leftTemporaries(join(folder, "nowhere"))).toEqual([]);
});
