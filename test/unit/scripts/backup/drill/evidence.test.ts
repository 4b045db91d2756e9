import { cp, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Drill } from "../../../../../scripts/backup/drill/drill.ts";
import {
  appendEvidence,
  createEvidenceKey,
  type EvidencePosition,
  readPrivateKey,
  readPublicKey,
  requireEvidenceFolder,
  verifyEvidence,
} from "../../../../../scripts/backup/drill/evidence.ts";

let home: string;
let original: string;
const positions: EvidencePosition[] = [];

const run = (outcome: Drill["outcome"], stack = "production") => {
  const drill = { outcome, reasons: ["ä"], seconds: 12.3, rpoSeconds: null } as unknown as Drill;
  return { project: "shop", stack, repository: "shop-backup", drill };
};
const privateKey = () => readPrivateKey(join(home, "key"));
const publicKey = () => readPublicKey(join(home, "key.pub"));

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "evidence-"));
  original = join(home, "original");
  createEvidenceKey(join(home, "key"));
  for (const outcome of ["passed", "failed", "could not run"] as const)
    positions.push(appendEvidence(original, privateKey(), run(outcome), positions.at(-1)));
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** Verifies a copy of the evidence after a change. */
async function verifyAfter(change: (folder: string) => Promise<unknown>, newest?: EvidencePosition) {
  const folder = await mkdtemp(join(home, "copy-"));
  await cp(original, folder, { recursive: true });
  await change(folder);
  return verifyEvidence(folder, publicKey(), newest);
}

const edit = (name: string, from: string, to: string) => async (folder: string) => {
  const text = await readFile(join(folder, name), "utf8");
  expect(text).toContain(from);
  await writeFile(join(folder, name), text.replace(from, to));
};
const fault = (code: string, number: number) => ({ code, number, detail: expect.any(String) });

describe("the evidence of drills", () => {
  it("is numbered, signed and verified with the public key alone", async () => {
    await rename(join(home, "key"), join(home, "away"));
    const verified = verifyEvidence(original, publicKey(), positions[2]);
    await rename(join(home, "away"), join(home, "key"));
    expect(verified).toEqual({ runs: 3, newest: positions[2], faults: [] });
    expect(await readdir(original)).toEqual(["000001.json", "000002.json", "000003.json"]);
    const { statement } = JSON.parse(await readFile(join(original, "000002.json"), "utf8"));
    expect(statement).toMatchObject({
      number: 2,
      previous: positions[0]?.hash,
      stack: "production",
      drill: { outcome: "failed" },
    });
  });

  it("accepts another order of members and other white space, which say the same", async () => {
    const verified = await verifyAfter(async (folder) => {
      const { statement, signature } = JSON.parse(await readFile(join(folder, "000002.json"), "utf8"));
      const turned = Object.fromEntries(Object.entries(statement).reverse());
      await writeFile(join(folder, "000002.json"), JSON.stringify({ signature, statement: turned }));
    });
    expect(verified.faults).toEqual([]);
  });

  it.each<[string, (folder: string) => Promise<unknown>, object[]]>([
    ["a changed outcome", edit("000002.json", '"failed"', '"passed"'), [fault("changed", 2)]],
    ["a changed newest run", edit("000003.json", "could not run", "passed"), [fault("changed", 3)]],
    ["a changed number in the statement", edit("000003.json", '"number": 3', '"number": 4'), [fault("changed", 3)]],
    ["a changed signature", edit("000001.json", '"signature": "', '"signature": "AAAA'), [fault("changed", 1)]],
    ["a removed first run", (folder) => rm(join(folder, "000001.json")), [fault("missing", 1)]],
    ["a removed run in the middle", (folder) => rm(join(folder, "000002.json")), [fault("missing", 2)]],
    [
      "reordered runs",
      async (folder) => {
        await rename(join(folder, "000001.json"), join(folder, "x"));
        await rename(join(folder, "000002.json"), join(folder, "000001.json"));
        await rename(join(folder, "x"), join(folder, "000002.json"));
      },
      [fault("reordered", 1), fault("reordered", 2)],
    ],
    [
      "a run that takes the number of a removed one",
      async (folder) => {
        await rm(join(folder, "000002.json"));
        await rename(join(folder, "000003.json"), join(folder, "000002.json"));
      },
      [fault("reordered", 2)],
    ],
    ["an emptied file", (folder) => writeFile(join(folder, "000002.json"), ""), [fault("unreadable", 2)]],
    [
      "a run that the key's owner made again",
      async (folder) => {
        await rm(join(folder, "000002.json"));
        await rename(join(folder, "000003.json"), join(folder, "x"));
        appendEvidence(folder, privateKey(), run("passed"), undefined);
        await rename(join(folder, "x"), join(folder, "000003.json"));
      },
      [fault("changed", 2)],
    ],
    [
      "a run of another stack",
      async (folder) => appendEvidence(folder, privateKey(), run("passed", "staging"), undefined),
      [fault("foreign", 4)],
    ],
  ])("shows %s", async (_, change, faults) => {
    expect((await verifyAfter(change)).faults).toEqual(faults);
  });

  it("shows a removed newest run by its number and hash, and from the next run on without them", async () => {
    const remove = (folder: string) => rm(join(folder, "000003.json"));
    expect((await verifyAfter(remove)).faults).toEqual([]);
    expect((await verifyAfter(remove, positions[2])).faults).toEqual([fault("missing", 3)]);
    const continued = await verifyAfter(async (folder) => {
      await remove(folder);
      expect(appendEvidence(folder, privateKey(), run("passed"), positions[2]).number).toBe(4);
    });
    expect(continued.faults).toEqual([fault("missing", 3)]);
    const emptied = await verifyAfter(async (folder) => {
      for (const name of await readdir(folder)) await rm(join(folder, name));
      appendEvidence(folder, privateKey(), run("passed"), positions[2]);
    });
    expect(emptied.faults).toEqual([fault("missing", 1), fault("missing", 2), fault("missing", 3)]);
    const other = { number: 2, hash: "0".repeat(64) };
    expect((await verifyAfter(async () => {}, other)).faults).toEqual([fault("changed", 2)]);
  });

  it("of another key is not accepted", () => {
    createEvidenceKey(join(home, "other"));
    const { faults } = verifyEvidence(original, readPublicKey(join(home, "other.pub")));
    expect(faults).toEqual([1, 2, 3].map((number) => fault("changed", number)));
  });

  it("that does not exist is an error, and not sound", () => {
    expect(() => verifyEvidence(join(home, "nowhere"), publicKey())).toThrow("There is no evidence in");
  });
});

it("the folder of evidence is created, and refused if it is a file", async () => {
  requireEvidenceFolder(join(home, "new/folder"));
  expect((await stat(join(home, "new/folder"))).isDirectory()).toBe(true);
  expect(() => requireEvidenceFolder(join(home, "key"))).toThrow(/^Cannot write evidence to .*key \(EEXIST\)\.$/);
});

describe("the key of evidence", () => {
  it("is private, and never replaced", async () => {
    expect((await stat(join(home, "key"))).mode & 0o777).toBe(0o600);
    expect(() => createEvidenceKey(join(home, "key"))).toThrow("already exists");
    await writeFile(join(home, "half.pub"), "");
    expect(() => createEvidenceKey(join(home, "half"))).toThrow("half.pub already exists");
    await expect(stat(join(home, "half"))).rejects.toThrow("ENOENT");
  });

  it.each([
    ["does not exist", "nowhere", "the file does not exist"],
    ["is no key", "original/000001.json", "it is no key in PEM format"],
  ])("that %s is refused", (_, name, reason) => {
    expect(() => readPrivateKey(join(home, name))).toThrow(reason);
  });
});
