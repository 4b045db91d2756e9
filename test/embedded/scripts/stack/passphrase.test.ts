import { execFile } from "node:child_process";
import { createCipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
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
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensureLocalPassphrase, passphraseVariables } from "../../../../scripts/stack/passphrase.ts";
import { passphraseHint } from "../../../../scripts/stack/passphrase-hint.ts";

let root: string;
let stacks: string;
let own: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "passphrase-"));
  stacks = join(root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork");
  own = join(root, ".pgroundwork", "passphrase");
  mkdirSync(stacks, { recursive: true });
  writeFileSync(join(root, "Pulumi.yaml"), "name: pgroundwork\nbackend:\n  url: file://./.pgroundwork\n");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Returns a salt in Pulumi's format. */
function saltOf(passphrase: string): string {
  const [salt, nonce] = [randomBytes(8), randomBytes(12)];
  const key = pbkdf2Sync(passphrase, salt, 1_000_000, 32, "sha256");
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const encrypted = Buffer.concat([cipher.update("pulumi"), cipher.final(), cipher.getAuthTag()]);
  return `v1:${salt.toString("base64")}:v1:${nonce.toString("base64")}:${encrypted.toString("base64")}`;
}

function stateOf(passphrase: string): string {
  const secrets_providers = { type: "passphrase", state: { salt: saltOf(passphrase) } };
  return JSON.stringify({ version: 3, checkpoint: { latest: { secrets_providers } } }, null, 4);
}

/** Salt of Pulumi 3.259.0 for the passphrase "a". */
const saltOfPulumi = "v1:sGEgzpHJMUQ=:v1:HjyH+tUOM5J6Bycj:FsDCN7+oMH1MRlC84bvj/Gtx9WggZA==";

describe("the local stack's passphrase", () => {
  it("is created once, for this user only", () => {
    const file = ensureLocalPassphrase(root, {});
    const passphrase = readFileSync(file, "utf8");
    expect(passphrase).toMatch(/^[\w-]{43}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    ensureLocalPassphrase(root, {});
    expect(readFileSync(file, "utf8")).toBe(passphrase);
  });

  it("is the same for processes that start at once", async () => {
    const module = join(import.meta.dirname, "../../../../scripts/stack/passphrase.ts");
    const program = `import { readFileSync } from "node:fs"; import { ensureLocalPassphrase } from ${JSON.stringify(module)};
      process.stdout.write(readFileSync(ensureLocalPassphrase(process.argv[1], {}), "utf8"));`;
    const runs = Array.from({ length: 6 }, () =>
      promisify(execFile)(process.execPath, ["--input-type=module-typescript", "-e", program, root]),
    );
    const passphrases = new Set((await Promise.all(runs)).map(({ stdout }) => stdout));
    expect(passphrases.size).toBe(1);
    expect(readdirSync(join(root, ".pgroundwork")).sort()).toEqual([".gitignore", ".pulumi", "passphrase"]);
  });

  it("is not replaced while a state is encrypted with the lost one", () => {
    writeFileSync(join(stacks, "local.json"), "{}");
    expect(() => ensureLocalPassphrase(root, {})).toThrow(
      `The passphrase file ${own} is missing. The state of stack "local" is encrypted with it.`,
    );
    expect(() => ensureLocalPassphrase(root, { PULUMI_CONFIG_PASSPHRASE: "any" })).toThrow(
      "The passphrase in the environment does not match either.",
    );
    expect(existsSync(own)).toBe(false);
  });

  it("does not depend on a shared stack's state, or on a state without a passphrase", () => {
    writeFileSync(join(stacks, "dev.json"), stateOf("of the team"));
    writeFileSync(
      join(stacks, "local.json"),
      JSON.stringify({ checkpoint: { latest: { secrets_providers: { type: "cloud", state: {} } } } }),
    );
    expect(existsSync(ensureLocalPassphrase(root, {}))).toBe(true);
  });

  it("is the exported one, from a variable or a file, if the stack was created with it", () => {
    writeFileSync(join(stacks, "local.json.gz"), gzipSync(stateOf("mine")));
    expect(() => ensureLocalPassphrase(root, { PULUMI_CONFIG_PASSPHRASE: "other" })).toThrow("is missing");
    ensureLocalPassphrase(root, { PULUMI_CONFIG_PASSPHRASE: "mine" });
    expect([readFileSync(own, "utf8"), statSync(own).mode & 0o777]).toEqual(["mine", 0o600]);
    rmSync(own);
    const named = join(root, "named");
    writeFileSync(named, "mine\n");
    ensureLocalPassphrase(root, { PULUMI_CONFIG_PASSPHRASE_FILE: named });
    expect(readFileSync(own, "utf8")).toBe("mine");
  });

  it("is the exported one if only encrypted settings are left of the stack", () => {
    writeFileSync(join(root, "Pulumi.local.yaml"), `encryptionsalt: ${saltOfPulumi}\n`);
    ensureLocalPassphrase(root, { PULUMI_CONFIG_PASSPHRASE: "a" });
    expect(readFileSync(own, "utf8")).toBe("a");
    rmSync(own);
    ensureLocalPassphrase(root, { PULUMI_CONFIG_PASSPHRASE: "b" });
    expect(readFileSync(own, "utf8")).toHaveLength(43);
  });
});

describe("the passphrase that the engine gets", () => {
  it("is the local stack's own, whatever is exported", () => {
    for (const env of [{}, { PULUMI_CONFIG_PASSPHRASE: "theirs" }, { PULUMI_CONFIG_PASSPHRASE: "" }])
      expect(passphraseVariables(root, "local", { ...env, PULUMI_CONFIG_PASSPHRASE_FILE: "/f" })).toEqual({
        PULUMI_CONFIG_PASSPHRASE: undefined,
        PULUMI_CONFIG_PASSPHRASE_FILE: own,
      });
  });

  it("is the exported one for every other stack, and never the local stack's", () => {
    for (const env of [
      { PULUMI_CONFIG_PASSPHRASE: "" },
      { PULUMI_CONFIG_PASSPHRASE_FILE: "/f" },
      { PULUMI_CONFIG_PASSPHRASE: "theirs", PULUMI_CONFIG_PASSPHRASE_FILE: own },
    ])
      expect(passphraseVariables(root, "dev", env)).toEqual({});
    const none = { PULUMI_CONFIG_PASSPHRASE_FILE: undefined };
    expect(passphraseVariables(root, "dev", {})).toEqual(none);
    expect(passphraseVariables(root, "dev", { PULUMI_CONFIG_PASSPHRASE_FILE: own })).toEqual(none);
    expect(existsSync(own)).toBe(false);
  });
});

describe("the hint for a passphrase that does not match", () => {
  const incorrect = "error: getting stack configuration: get stack secrets manager: incorrect passphrase";

  it("names the source that was used", () => {
    const hint = (env: NodeJS.ProcessEnv) => passphraseHint(incorrect, root, "dev", env);
    const backend = `${pathToFileURL(join(root, ".pgroundwork")).href} (Pulumi.yaml)`;
    expect(hint({ PULUMI_CONFIG_PASSPHRASE: "x" })).toBe(
      [
        'The passphrase in PULUMI_CONFIG_PASSPHRASE does not match stack "dev".',
        "Set the passphrase that the stack was created with.",
        `Its state is in ${backend}.`,
      ].join("\n  "),
    );
    expect(hint({ PULUMI_CONFIG_PASSPHRASE: "" })).toContain("PULUMI_CONFIG_PASSPHRASE (it is empty) does not match");
    expect(hint({ PULUMI_CONFIG_PASSPHRASE: "x", PULUMI_CONFIG_PASSPHRASE_FILE: "/f" })).toContain(
      "Pulumi ignores PULUMI_CONFIG_PASSPHRASE_FILE while PULUMI_CONFIG_PASSPHRASE is set.",
    );
    expect(hint({ PULUMI_CONFIG_PASSPHRASE_FILE: "/f" })).toContain(
      'The passphrase in /f (PULUMI_CONFIG_PASSPHRASE_FILE) does not match stack "dev".',
    );
  });

  it("names the line in the settings if nothing else is left of the stack", () => {
    const settings = join(root, "Pulumi.dev.yaml");
    const hint = () => passphraseHint(incorrect, root, "dev", { PULUMI_CONFIG_PASSPHRASE: "x" });
    writeFileSync(settings, `encryptionsalt: ${saltOfPulumi}\nconfig:\n  pgroundwork:server: docker\n`);
    const text = hint();
    expect(text).toContain('PULUMI_CONFIG_PASSPHRASE does not match the line "encryptionsalt" in Pulumi.dev.yaml.');
    expect(text).toContain(
      `Stack "dev" has no state in ${pathToFileURL(join(root, ".pgroundwork")).href} (Pulumi.yaml)`,
    );
    expect(text).toContain("delete this line. `up` writes another one.");
    writeFileSync(settings, `encryptionsalt: ${saltOfPulumi}\nconfig: {"a:b":{"secure":"v1:x"}}\n`);
    expect(hint()).toContain("delete this line, and set the encrypted settings (secure:) of this file again.");
    writeFileSync(join(stacks, "dev.json"), stateOf("y"));
    expect(hint()).toContain('does not match stack "dev".');
  });

  it("names a file that cannot be read and a passphrase that is missing", () => {
    const unreadable =
      "constructing secrets manager: unable to read PULUMI_CONFIG_PASSPHRASE_FILE: open /f: no such file";
    expect(passphraseHint(unreadable, root, "dev", { PULUMI_CONFIG_PASSPHRASE_FILE: "/f" })).toContain('"/f"');
    const missing = "passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE";
    expect(passphraseHint(missing, root, "dev", {})).toContain('no passphrase for stack "dev"');
  });

  it("never deletes a state, and moves only that stack's state", () => {
    writeFileSync(join(stacks, "dev.json"), stateOf("x"));
    writeFileSync(join(stacks, "local.json"), stateOf("x"));
    for (const stack of ["dev", "local"]) {
      const hint = passphraseHint(incorrect, root, stack, { PULUMI_CONFIG_PASSPHRASE: "y" });
      const file = join(stacks, `${stack}.json`);
      expect(hint).toContain(`\n    mv '${file}' '${file}.set-aside'`);
      expect(hint).not.toMatch(/delete .*\.pulumi|rm /);
    }
  });

  it("has a command that keeps an exported passphrase for the local stack that it was made with", async () => {
    writeFileSync(join(stacks, "local.json"), stateOf("mine"));
    writeFileSync(own, "another");
    const env = { PULUMI_CONFIG_PASSPHRASE: "mine" };
    const line = passphraseHint(incorrect, root, "local", env)?.match(/^ {4}(printf .*)$/m)?.[1] ?? "";
    await promisify(execFile)("sh", ["-c", line], { env: { ...process.env, ...env } });
    expect(readFileSync(own, "utf8")).toBe("mine");
    expect(passphraseHint(incorrect, root, "local", { PULUMI_CONFIG_PASSPHRASE: "no" })).not.toContain("printf");
  });
});
