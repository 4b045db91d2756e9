import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensurePassphrase } from "../../../../scripts/engine/passphrase.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "passphrase-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("the passphrase is made once, for this user only", () => {
  const file = ensurePassphrase(root);
  const passphrase = readFileSync(file, "utf8");
  expect(passphrase).toMatch(/^[\w-]{43}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  ensurePassphrase(root);
  expect(readFileSync(file, "utf8")).toBe(passphrase);
});

test("no new passphrase is made beside a state that the lost one encrypted", () => {
  const stacks = join(root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork");
  mkdirSync(stacks, { recursive: true });
  writeFileSync(join(stacks, "local.json"), "{}");
  expect(() => ensurePassphrase(root)).toThrow(
    `The passphrase ${join(root, ".pgroundwork", "passphrase")} is gone, and this clone's state is encrypted with it.`,
  );
});

test("a shared stack's state, which it never encrypted, does not stand in its way", () => {
  const stacks = join(root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork");
  mkdirSync(stacks, { recursive: true });
  writeFileSync(join(stacks, "dev.json"), "{}");
  expect(existsSync(ensurePassphrase(root))).toBe(true);
});

test("processes that start at once all go on with the same passphrase", async () => {
  const module = join(import.meta.dirname, "../../../../scripts/engine/passphrase.ts");
  const program = `import { readFileSync } from "node:fs"; import { ensurePassphrase } from ${JSON.stringify(module)};
    process.stdout.write(readFileSync(ensurePassphrase(process.argv[1]), "utf8"));`;
  const runs = Array.from({ length: 6 }, () =>
    promisify(execFile)(process.execPath, ["--input-type=module-typescript", "-e", program, root]),
  );
  const passphrases = new Set((await Promise.all(runs)).map(({ stdout }) => stdout));
  expect(passphrases.size).toBe(1);
  expect(readdirSync(join(root, ".pgroundwork"))).toEqual(["passphrase"]);
});
