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
