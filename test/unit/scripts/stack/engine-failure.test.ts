import { describe, expect, it } from "vitest";
import { engineRemedy, superuserRefusedRemedy } from "../../../../scripts/stack/engine-failure.ts";

const remedyOf = (...messages: string[]) => engineRemedy(messages, "/clone", "local");

describe("what to do about a failure of the engine", () => {
  it("is to make the clone's own files writable only where one of them was denied", () => {
    const remedy = "/clone/.pgroundwork and what is in it must be this user's, and writable.";
    expect(remedyOf("error: open /clone/.pgroundwork/.pulumi/meta.yaml: permission denied")).toBe(remedy);
    expect(remedyOf("EACCES: permission denied, open '/clone/.pgroundwork/passphrase'")).toBe(remedy);
    const denials = [
      "shop_migrator@127.0.0.1:5432/shop may not record migrations: permission denied for schema graphile_migrate.",
      "/clone/.pgroundwork: permission denied for schema graphile_migrate",
      "error: pq: permission denied to create role",
      "EACCES: permission denied, mkdir '/data/shop'",
    ];
    for (const denial of denials) expect(remedyOf(denial)).toBeUndefined();
  });

  it("is a new password version where the server does not take the superuser's password, said once", () => {
    const refused = 'Cannot connect: password authentication failed for user "postgres".';
    expect(remedyOf(refused)).toBe(superuserRefusedRemedy);
    expect(remedyOf(`${refused}\n  ${superuserRefusedRemedy}`)).toBeUndefined();
    expect(remedyOf('password authentication failed for user "shop_app"')).toBeUndefined();
  });

  it("is to take a read-only default back", () => {
    expect(remedyOf("error: cannot execute GRANT in a read-only transaction")).toContain(
      "ALTER DATABASE … RESET default_transaction_read_only;",
    );
  });
});
