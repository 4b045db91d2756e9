import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { StackOutputs } from "../../../../scripts/model/stack-outputs.ts";
import { readConfiguration } from "../../../../scripts/server/configuration.ts";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import { settingsReference } from "../../../../scripts/settings/settings.ts";
import { freePort } from "../../../support/free-port.ts";
import type { Clone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { revealedOutputs } from "./passwords.ts";
import { makeShop, shopSettings } from "./shop.ts";

type Settings = Record<string, unknown>;

/** Settings before the first try. Each try starts with the result of the one before it. */
const first: Settings = {
  ...shopSettings,
  // A protected stack refuses to run without fsync.
  ...{ postgresql: {}, seeds: ["reference"], profile: "desktop", storage: "ssd" },
};

/**
 * One changed value for every setting, or several if the effect depends on the value. `undefined` removes a setting.
 */
const tries: Readonly<Record<string, readonly (() => Settings | Promise<Settings>)[]>> = {
  server: [() => ({ server: "embedded" })],
  port: [async () => ({ port: await freePort() })],
  dataDirectory: [() => ({ dataDirectory: "/nowhere/elsewhere" })],
  memory: [() => ({ memory: 640 })],
  profile: [() => ({ profile: "oltp" })],
  storage: [() => ({ storage: "hdd" })],
  maxConnections: [() => ({ maxConnections: 40 })],
  postgresql: [
    () => ({ postgresql: { work_mem: "9MB" } }),
    () => ({ postgresql: { work_mem: "9MB", max_locks_per_transaction: 128 } }),
  ],
  backups: [() => ({ backups: { dumps: { encrypt: false } } })],
  databases: [() => ({ databases: ["shop", "annex"] })],
  seeds: [() => ({ seeds: ["reference", "dev"] })],
  // A stack with real data refuses development seeds, and fallback providers unless airgap is set.
  protected: [() => ({ protected: true, airgap: true, seeds: ["reference"] })],
  airgap: [() => ({ protected: false, airgap: undefined })],
  passwordVersion: [() => ({ passwordVersion: "of another day" })],
  idleInTransactionTimeout: [() => ({ idleInTransactionTimeout: 30 })],
  readyTimeout: [() => ({ readyTimeout: 45 })],
};

const reference = settingsReference().filter(({ servers }) => servers.includes("embedded"));

describe("the documented effect of a setting on the embedded server", () => {
  let clone: Clone;
  let data: string;
  let current: Settings = first;
  let before: Awaited<ReturnType<typeof look>>;

  beforeAll(async () => {
    clone = await makeShop();
    await clone.write("migrations/annex/database.json", JSON.stringify({ extensions: [], seedSets: [] }));
    await clone.configure(current);
    await clone.succeed("up");
    data = (await revealedOutputs(clone)).server.dataDirectory;
    before = await look();
  });
  afterAll(() => clone?.remove());

  /** Collects facts of the stack that are visible from outside. */
  const look = async () => {
    const { server, databases } = await revealedOutputs(clone);
    const logins = [server.logins, databases.shop?.logins ?? {}].flatMap((byRole) => Object.values(byRole));
    return {
      postmaster: await findPostmaster(data),
      configuration: await readConfiguration(data),
      passwords: logins.map(({ password }) => password),
      databases: Object.keys(databases),
      orders: await countOrders(server, databases),
    };
  };

  /** Applies a change and describes the effects. */
  const apply = async (changed: Settings): Promise<string> => {
    const wanted = Object.fromEntries(
      Object.entries({ ...current, ...changed }).filter(([, value]) => value !== undefined),
    );
    await clone.configure(wanted);
    const previewed = await changesOf(clone, "preview").catch((error: Error) => error.message);
    if (typeof previewed === "string") {
      expect(previewed).toContain("Stop the server (npm run down), move it");
      expect((await clone.pgw("up")).code).toBe(1);
      await clone.configure(current);
      expect(await look()).toEqual(before);
      return "refused until the data is moved";
    }
    const done = await changesOf(clone, "up");
    expect(done.toSorted()).toEqual(previewed.toSorted());
    const [earlier, now] = [before, await look()];
    [current, before] = [wanted, now];
    return effectOf(earlier, now);
  };

  it.each(reference.map(({ name, effect }) => [name, effect] as const))("%s: %s", async (name, effect) => {
    const seen = [];
    for (const changed of tries[name] ?? []) seen.push(await apply(await changed()));
    expect(seen.join(" or ")).toBe(effect === "restart (docker)" ? "none" : effect);
  });

  function effectOf(earlier: typeof before, now: typeof before): string {
    if (now.postmaster?.pid !== earlier.postmaster?.pid) return "restart";
    if (now.configuration !== earlier.configuration) return "reload";
    if (now.databases.length > earlier.databases.length) return "databases created";
    if (now.orders !== earlier.orders) return "seeds applied";
    const isNew = now.passwords.map((password, index) => password !== earlier.passwords[index]);
    if (isNew.every(Boolean)) return "new passwords";
    return isNew.some(Boolean) ? "some new passwords" : "none";
  }
});

/** Counts rows that only the development seeds insert. */
function countOrders({ host, port }: StackOutputs["server"], databases: StackOutputs["databases"]): Promise<number> {
  const login = databases.shop?.logins.readonly;
  if (login === undefined) throw new Error("There is no login of the shop.");
  const { user, password } = login;
  return withClient({ host, port, database: "shop", user, password, sslmode: "disable" }, async (client) => {
    const { rows } = await client.query<{ orders: number }>("select count(*)::int as orders from customer_order");
    return rows[0]?.orders ?? -1;
  });
}
