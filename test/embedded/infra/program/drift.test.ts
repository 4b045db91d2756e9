import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { inDatabase } from "../../../../scripts/connection/connection.ts";
import { findings } from "../../../recover-findings.ts";
import type { Clone } from "../../clone.ts";
import { changesOf } from "./changes.ts";
import { makeShop, shopSettings } from "./shop.ts";

/** A manual change, the differences that it shows, and what works again after `up`. */
interface Drift {
  title: string;
  sql: string;
  /** Rejects, or has no effect, as long as the change is not reverted. */
  isBroken?: (clone: Clone) => Promise<unknown>;
  /**
   * Changes of preview and up. refresh shows the same for an update, and a deletion for a resource that is created
   * again.
   */
  changes: string[];
  works: (clone: Clone) => Promise<unknown>;
}

const drifts: readonly Drift[] = [
  {
    title: "lets a role log in again that had lost LOGIN",
    sql: "alter role shop_app nologin",
    isBroken: (clone) =>
      expect(clone.query("app", "select 1")).rejects.toThrow(/refuses connections of user "shop_app"/),
    changes: ["update shop-app: login"],
    works: async (clone) => expect(await clone.query("app", "select current_user as me")).toEqual([{ me: "shop_app" }]),
  },
  {
    title: "restores a revoked grant, and the role can connect again",
    sql: "revoke connect on database shop from shop_readonly",
    isBroken: (clone) =>
      expect(clone.query("readonly", "select 1")).rejects.toThrow(
        /has no CONNECT privilege|permission denied for database/,
      ),
    changes: ["update shop-grant-database-shop_readonly: privileges"],
    works: async (clone) =>
      expect(await clone.query("readonly", "select current_user as me")).toEqual([{ me: "shop_readonly" }]),
  },
  {
    title: "restores a default privilege, and later tables are accessible to the role",
    sql: "alter default privileges for role shop_owner in schema public revoke select on tables from shop_readonly",
    changes: ["create shop-default-table-shop_readonly"],
    works: async (clone) => {
      await clone.query("migrator", "create table later (id integer)");
      expect(await clone.query("readonly", "select count(*)::int as rows from later")).toEqual([{ rows: 0 }]);
    },
  },
  {
    title: "revokes a grant to PUBLIC that is not declared",
    sql: "grant connect on database shop to public",
    changes: ["update shop-grant-database-public: privileges"],
    works: async (clone) =>
      expect(
        await clone.query("superuser", "select (aclexplode(datacl)).grantee from pg_database where datname = 'shop'"),
      ).not.toContainEqual({
        grantee: 0,
      }),
  },
  {
    title: "closes later tables to PUBLIC again, and they can be created in a schema of another owner",
    sql:
      "alter default privileges for role shop_owner grant all on tables to public; " +
      "alter default privileges for role shop_owner in schema public grant all on tables to public; " +
      // Like a database that was dumped before PostgreSQL 15.
      "alter schema public owner to postgres; revoke all on schema public from shop_owner",
    changes: [
      "update shop-grant-schema-shop_owner: privileges",
      "update shop-default-table-public: privileges",
      "update shop-default-table-public-in-schema: privileges",
    ],
    works: async (clone) => {
      await clone.query("migrator", "create table closed (id integer)");
      const denied = clone.query("readonly", "truncate closed");
      await expect(denied).rejects.toThrow("permission denied for table closed");
    },
  },
  {
    title: "creates a dropped extension again",
    sql: "drop extension citext",
    changes: ["create shop-extension-citext"],
    works: async (clone) => {
      const there = "select extname from pg_extension where extname = 'citext'";
      expect(await clone.query("superuser", there)).toEqual([{ extname: "citext" }]);
    },
  },
];

describe("drift caused by hand", () => {
  let clone: Clone;

  const byHand = (sql: string) => clone.query("superuser", sql);
  const inOrder = async (command: "refresh" | "preview" | "up") => (await changesOf(clone, command)).toSorted();

  beforeAll(async () => {
    clone = await makeShop();
    await clone.succeed("up");
  });
  afterAll(() => clone?.remove());

  describe("up after several changes", () => {
    const changes = drifts.flatMap((drift) => drift.changes).toSorted();

    it("corrects what refresh showed and preview announced, and leaves no changes", async () => {
      for (const { sql, isBroken } of drifts) {
        await byHand(sql);
        await isBroken?.(clone);
      }
      expect(await inOrder("refresh")).toEqual(changes.map((change) => change.replace(/^create/, "delete")).toSorted());
      expect(await inOrder("preview")).toEqual(changes);
      expect(await inOrder("up")).toEqual(changes);
      expect(await inOrder("refresh")).toEqual([]);
    });

    it.each(drifts)("$title", async ({ works }) => {
      await works(clone);
    });
  });

  it("in an extension's schema is reported until it is moved back or accepted by refresh", async () => {
    await byHand("create schema elsewhere; alter extension citext set schema elsewhere");
    const said =
      'Extension citext of database "shop" is in schema "elsewhere", but in the stack\'s state it is in "public".\n' +
      "  It was probably moved by hand. To move it back, run in that database:\n" +
      '    ALTER EXTENSION "citext" SET SCHEMA "public";\n' +
      "  To accept the new schema:\n    npm run pgw -- refresh\n";
    for (const command of ["preview", "up"]) expect((await clone.succeed(command)).stderr).toContain(said);
    await byHand('ALTER EXTENSION "citext" SET SCHEMA "public"');
    expect((await clone.succeed("preview")).stderr).not.toContain("citext");
    await byHand("alter extension citext set schema elsewhere");
    await clone.succeed("refresh");
    expect((await clone.succeed("up")).stderr).not.toContain("citext");
    await byHand("alter extension citext set schema public; drop schema elsewhere");
    await clone.succeed("refresh");
  });

  it("in a superuser's membership that a killed run left is revoked by recover", async () => {
    await byHand("grant shop_owner to postgres");
    expect(await findings(clone)).toEqual([
      {
        kind: "server",
        found: "a run was killed while it created a database: postgres is still a member of shop_owner",
        action: 'REVOKE "shop_owner" FROM "postgres"',
        advice: null,
        done: true,
      },
    ]);
    const left = "select 1 from pg_auth_members where member = 'postgres'::regrole and roleid = 'shop_owner'::regrole";
    expect(await byHand(left)).toEqual([]);
    expect(await findings(clone)).toEqual([]);
  });

  it("in databases that a killed load left is named by recover, which removes neither", async () => {
    const [kept, loading, own] = ["shop_before_20260101T000000Z", "pgw_loading_1", "other_before_20260101T000000Z"];
    for (const name of [kept, loading, own]) await byHand(`create database "${name}"`);
    type Found = { kind: string; found: string; advice: string | null; done: boolean };
    // Killed imports of other tests leave files in the same temporary folder.
    const onServer = async () => ((await findings(clone)) as Found[]).filter(({ kind }) => kind === "server");
    const found = await onServer();
    expect(found.map(({ found: text, done }) => [text, done])).toEqual([
      [`a load of a dump was killed, or runs now: the database ${loading} is not complete`, false],
      [`a load into the database shop was killed, or runs now: what it replaced is kept in ${kept}`, false],
    ]);
    // The statements that lead back are valid.
    const [, back = ""] = / without sessions in both: (.*)$/.exec(found[1]?.advice ?? "") ?? [];
    await byHand("create database unrelated");
    for (const statement of back.replaceAll('"shop"', '"unrelated"').split("; ")) await byHand(statement);
    expect(await byHand("select 1 from pg_database where datname = 'shop_loaded'")).toHaveLength(1);
    for (const name of ["unrelated", "shop_loaded", loading, own]) await byHand(`drop database "${name}"`);
    expect(await onServer()).toEqual([]);
  });

  it("in a role's password is corrected by up, and the login of `pgw url` works again", async () => {
    const login = await clone.login("app");
    await byHand("alter role shop_app password 'set-by-hand'");
    await expect(withClient(login, async () => undefined)).rejects.toThrow(/password authentication failed/);
    expect(await changesOf(clone, "refresh")).toEqual(["update shop-app: password"]);
    expect(await changesOf(clone, "up")).toEqual(["update shop-app: password"]);
    await withClient(login, async () => undefined);
  });

  it("in the superuser's password is reported with the setting that replaces it", async () => {
    await byHand("alter role postgres password 'set-by-hand'");
    for (const command of ["preview", "up", "refresh"]) {
      const { stderr } = await clone.pgw(command);
      expect(stderr.split("Change pgroundwork:passwordVersion of this stack")).toHaveLength(2);
    }
    await clone.configure({ ...shopSettings, passwordVersion: "2" });
    await clone.succeed("up");
    expect(await clone.query("superuser", "select current_user as me")).toEqual([{ me: "postgres" }]);
    expect(await clone.query("app", "select current_user as me")).toEqual([{ me: "shop_app" }]);
  });

  it("in dropped objects is reported by preview and up, and corrected after a refresh", async () => {
    const superuser = inDatabase(await clone.login("superuser", "shop"), "postgres");
    await withClient(superuser, async (client) => {
      await client.query("drop database shop with (force)");
      await client.query("drop owned by monitor");
      await client.query("drop role shop_readonly, monitor");
    });
    const gone = (what: string, they = "It was") =>
      `The server no longer has ${what}, which this stack created. ${they} probably dropped by hand. ` +
      "To update the state, run `npm run pgw -- refresh`.";
    const preview = await clone.succeed("preview");
    expect(preview.stderr).toContain(gone('role "shop_readonly"'));
    expect(preview.stderr).toContain(gone('database "shop"'));
    const up = await clone.pgw("up");
    expect(up.code).toBe(1);
    // The first error names all missing objects, and no part of the program fails with an error of its own.
    expect(up.stderr.match(/^error: .*/gm)).toEqual([
      expect.stringContaining(gone('role "monitor", role "shop_readonly", database "shop"', "They were")),
      'error: up of stack "local" failed.',
    ]);
    await clone.succeed("refresh");
    const again = await clone.succeed("preview");
    expect(again.stderr).not.toContain("no longer has");
    await clone.succeed("up");
    expect(await clone.query("readonly", "select name from product order by id")).toEqual([
      { name: "tea" },
      { name: "coffee" },
    ]);
    expect(await changesOf(clone, "refresh")).toEqual([]);
  });
});
