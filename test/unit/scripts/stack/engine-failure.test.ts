import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { engineHint, superuserRefusedHint } from "../../../../scripts/stack/engine-failure.ts";

const hintOf = (...messages: string[]) => engineHint(messages, "/clone", "local");

describe("the hint for a failure of the engine", () => {
  it("is to make the project's files writable if access to one was denied", () => {
    const hint = "/clone/.pgroundwork and its contents must belong to this user and be writable.";
    expect(hintOf("error: open /clone/.pgroundwork/.pulumi/meta.yaml: permission denied")).toBe(hint);
    expect(hintOf("EACCES: permission denied, open '/clone/.pgroundwork/passphrase'")).toBe(hint);
    const denials = [
      "shop_migrator@127.0.0.1:5432/shop cannot record migrations: permission denied for schema graphile_migrate.",
      "/clone/.pgroundwork: permission denied for schema graphile_migrate",
      "error: pq: permission denied to create role",
      "EACCES: permission denied, mkdir '/data/shop'",
    ];
    for (const denial of denials) expect(hintOf(denial)).toBeUndefined();
  });

  it("is a new password version, once, if the server refuses the superuser's password", () => {
    const refused = 'Cannot connect: password authentication failed for user "postgres".';
    expect(hintOf(refused)).toBe(superuserRefusedHint);
    expect(hintOf(`${refused}\n  ${superuserRefusedHint}`)).toBeUndefined();
    expect(hintOf('password authentication failed for user "shop_app"')).toBeUndefined();
  });

  it("is recover if a provider plugin cannot read the state", () => {
    const panic = "error: panic: fatal: Data integrity error: __pulumi_raw_state_delta does not apply cleanly";
    expect(hintOf(panic)).toBe("Repair the state, then try again: `npm run pgw -- recover`");
  });

  it("is to free space on the disk with the state, not on the server's", () => {
    const write =
      'pre-step event returned an error: failed to save snapshot: blob (key ".pulumi/stacks/shop/local.json")';
    expect(hintOf(`${write}: write /clone/.pgroundwork/.pulumi/x.tmp: no space left on device`)).toMatch(
      /^The disk with the state of the stack is full\./,
    );
    expect(hintOf('could not extend file "base/1/2": No space left on device')).toBeUndefined();
  });

  it("is to reset a read-only default", () => {
    expect(hintOf("error: cannot execute GRANT in a read-only transaction")).toContain(
      "ALTER DATABASE … RESET default_transaction_read_only;",
    );
  });
});

describe("the hint for a state that cannot be read", () => {
  const unreadable = ["error: failed to load checkpoint: EOF"];
  const lockOf = (host: string) =>
    JSON.stringify({ pid: 4_000_000, username: "ana", hostname: host, timestamp: "2026-11-21T07:21:33Z" });

  /** Returns the hint for a project with these files in its folder of states. */
  async function hintWith(files: Record<string, string>): Promise<string | undefined> {
    const root = await realpath(await mkdtemp(join(tmpdir(), "pgw-state-")));
    try {
      await writeFile(
        join(root, "Pulumi.yaml"),
        "name: shop\nruntime: nodejs\nbackend:\n  url: file://./.pgroundwork\n",
      );
      for (const [name, text] of Object.entries(files)) {
        const path = join(root, ".pgroundwork", ".pulumi", name);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, text);
      }
      return engineHint(unreadable, root, "dev");
    } finally {
      await rm(root, { recursive: true });
    }
  }
  const state = "stacks/shop/dev.json";
  const lock = "locks/organization/shop/dev/1f.json";

  it("is to wait, and never to replace the state, while another run may be writing it", async () => {
    for (const text of ['{"version":3', '{"version":3}']) {
      const hint = await hintWith({ [state]: text, [`${state}.attrs`]: "{", [lock]: lockOf("another-machine") });
      expect(hint).toMatch(
        /^Another run works on it .*: ana@another-machine .*\. Wait for it to end, then try again\.$/,
      );
    }
  });

  it("is to try again if the state has become complete", async () => {
    expect(await hintWith({ [state]: '{"version":3}' })).toMatch(/^The state is complete now: .* Try again\.$/);
  });

  it("is to restore the one before, if it is damaged and its last writer is gone", async () => {
    const hint = await hintWith({ [state]: '{"version":3', [lock]: lockOf(hostname()) });
    expect(hint).toMatch(/^The stack's state is damaged: .*dev\.json\. Restore .*\n {2,}cp /);
  });
});
