import { describe, expect, it } from "vitest";
import { engineRemedy, superuserRefusedRemedy } from "../../../../scripts/stack/engine-failure.ts";

const remedyOf = (...messages: string[]) => engineRemedy(messages, "/clone", "local");

describe("the hint for a failure of the engine", () => {
  it("is to make the project's files writable if access to one was denied", () => {
    const remedy = "/clone/.pgroundwork and its contents must belong to this user and be writable.";
    expect(remedyOf("error: open /clone/.pgroundwork/.pulumi/meta.yaml: permission denied")).toBe(remedy);
    expect(remedyOf("EACCES: permission denied, open '/clone/.pgroundwork/passphrase'")).toBe(remedy);
    const denials = [
      "shop_migrator@127.0.0.1:5432/shop cannot record migrations: permission denied for schema graphile_migrate.",
      "/clone/.pgroundwork: permission denied for schema graphile_migrate",
      "error: pq: permission denied to create role",
      "EACCES: permission denied, mkdir '/data/shop'",
    ];
    for (const denial of denials) expect(remedyOf(denial)).toBeUndefined();
  });

  it("is a new password version, once, if the server refuses the superuser's password", () => {
    const refused = 'Cannot connect: password authentication failed for user "postgres".';
    expect(remedyOf(refused)).toBe(superuserRefusedRemedy);
    expect(remedyOf(`${refused}\n  ${superuserRefusedRemedy}`)).toBeUndefined();
    expect(remedyOf('password authentication failed for user "shop_app"')).toBeUndefined();
  });

  it("is recover if a provider plugin cannot read the state", () => {
    const panic = "error: panic: fatal: Data integrity error: __pulumi_raw_state_delta does not apply cleanly";
    expect(remedyOf(panic)).toBe("Repair the state, then try again: `npm run pgw -- recover`");
  });

  it("is to reset a read-only default", () => {
    expect(remedyOf("error: cannot execute GRANT in a read-only transaction")).toContain(
      "ALTER DATABASE … RESET default_transaction_read_only;",
    );
  });
});
