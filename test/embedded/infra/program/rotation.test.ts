import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { findPostmaster } from "../../../../scripts/server/postmaster.ts";
import type { Clone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { revealedOutputs } from "./passwords.ts";
import { commit, makeShop, shopDrafts, shopSettings } from "./shop.ts";

const roles = ["app", "readonly", "migrator", "monitor", "backup", "superuser"];

const loginRoles = ["server-backup", "server-monitor", "shop-app", "shop-migrator", "shop-readonly"];
/** Resources with a password. Ownership and privileges do not change. */
const rotated = [
  ...[...loginRoles, "server-superuser"].map((name) => `update ${name}-password: keeper`),
  ...loginRoles.map((name) => `update ${name}: password`),
  "update server-postgres: superuserPassword",
  "update server-ready: password",
].sort();

const pendingFile = "000003-suppliers.sql";

describe("a password rotation", () => {
  let clone: Clone;
  let data: string;

  beforeAll(async () => {
    clone = await makeShop();
    await clone.succeed("up");
    data = (await revealedOutputs(clone)).server.dataDirectory;
  });
  afterAll(() => clone?.remove());

  const rotate = (passwordVersion: string) => clone.configure({ ...shopSettings, passwordVersion });
  const logins = async () => {
    const { server, databases } = await revealedOutputs(clone);
    const passwords = { ...server.logins, ...databases.shop?.logins } as Record<
      string,
      { user: string; password: string }
    >;
    return roles.map((role): Connection => {
      const { host, port } = server;
      const login = passwords[role];
      if (login === undefined) throw new Error(`There is no login of ${role}.`);
      const database = ["monitor", "backup", "superuser"].includes(role) ? "postgres" : "shop";
      return { host, port, database, user: login.user, password: login.password, sslmode: "disable" };
    });
  };
  const answer = (login: Connection) =>
    withClient(login, async (client) => (await client.query("select 1 as one")).rows).catch(
      (error: Error) => error.message,
    );

  it("is previewed exactly as up does it, with pending work by name", async () => {
    await rotate("2");
    expect((await changesOf(clone, "preview")).toSorted()).toEqual(rotated);
    // The program's own login changes, too, but that is no change on the server.
    expect((await changesOf(clone, "up")).toSorted()).toEqual(rotated);
    // In the second rotation, the preview uses the password of the first one.
    await commit(clone, [
      ...shopDrafts,
      { name: "suppliers", body: "create table supplier (id integer primary key);" },
    ]);
    await rotate("3");
    const pending = [...rotated, `update shop-migrations: ${pendingFile}`].toSorted();
    expect((await changesOf(clone, "preview")).toSorted()).toEqual(pending);
    expect((await changesOf(clone, "up")).toSorted()).toEqual(pending);
    for (const command of ["preview", "refresh", "up"] as const) expect(await changesOf(clone, command)).toEqual([]);
  });

  it("reaches every role without ending sessions or restarting, and the old passwords stop working", async () => {
    const before = await findPostmaster(data);
    const old = await logins();
    const [app] = old;
    if (app === undefined) throw new Error("There is no login.");
    await rotate("4");
    await withClient(app, async (client) => {
      const backend = (await client.query("select pg_backend_pid() as pid")).rows;
      await clone.succeed("up");
      expect((await client.query("select pg_backend_pid() as pid")).rows).toEqual(backend);
    });
    expect(await findPostmaster(data)).toEqual(before);
    for (const login of old) expect(await answer(login), login.user).toMatch(/password authentication failed/);
    for (const login of await logins()) expect(await answer(login), login.user).toEqual([{ one: 1 }]);
  });
});
