import * as pulumi from "@pulumi/pulumi";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findExisting } from "../../../../../infra/components/checks/existing-objects.ts";
import { EmbeddedServer } from "../../../../../infra/components/embedded-server.ts";
import type { Properties } from "../../../../../infra/provider-protocol/values.ts";
import { recordResources, registered } from "../recorded-resources.ts";

let server: EmbeddedServer;
let asked: pulumi.runtime.MockCallArgs[];
let answer: Properties;

beforeAll(async () => {
  await recordResources((args) => {
    asked.push(args);
    return answer;
  });
  const args = { settings: {}, passwordVersion: "1", readyTimeout: 60 };
  server = await registered((options) => new EmbeddedServer("server", args, options));
});
beforeEach(() => {
  asked = [];
});

/** Runs work as if in a preview. */
async function inPreview<T>(work: () => Promise<T>): Promise<T> {
  const options = pulumi.runtime as unknown as { _setIsDryRun(isPreview: boolean): void };
  options._setIsDryRun(true);
  try {
    return await work();
  } finally {
    options._setIsDryRun(false);
  }
}

describe("the query for existing objects", () => {
  it("runs once, as the superuser, with every name that will be declared", async () => {
    answer = {
      known: true,
      roles: ["monitor", "shop_owner"],
      databases: ["shop"],
      undeclared: ["store"],
      extensions: ['["shop","citext","public"]'],
      ownsPostgres: true,
      publicConnects: true,
      connectingByPublic: ["ana"],
    };
    const found = await findExisting(server, ["shop", "depot"]);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.token).toBe("pgroundwork:index:existingObjects");
    expect(asked[0]?.inputs).toEqual({
      host: "127.0.0.1",
      port: 20_123,
      sslmode: "disable",
      database: "postgres",
      user: "postgres",
      password: "result of server-superuser-password",
      roles: [
        "monitor",
        "backup",
        "pooler",
        ...["shop_owner", "shop_migrator", "shop_app", "shop_readonly"],
        ...["depot_owner", "depot_migrator", "depot_app", "depot_readonly"],
      ],
      databases: ["shop", "depot"],
    });
    expect(found).toEqual({
      known: true,
      roles: new Set(["monitor", "shop_owner"]),
      databases: new Set(["shop"]),
      undeclared: ["store"],
      postgres: { ownsPostgres: true, publicConnects: true, connectingByPublic: ["ana"] },
      extensionSchemas: new Map([["shop.citext", "public"]]),
    });
  });

  it("finds nothing in a preview without an answer, and fails in an up", async () => {
    answer = { known: false, isDown: true, reason: "Cannot connect to it." };
    const nothing = { known: false, roles: new Set(), databases: new Set(), undeclared: [] };
    expect(await inPreview(() => findExisting(server, ["shop"]))).toEqual(nothing);
    await expect(findExisting(server, ["shop"])).rejects.toThrow(
      "The server could not be queried for its roles and databases: Cannot connect to it.",
    );
  });

  it("fails in an up if commits would wait for a missing standby, and warns in a preview", async () => {
    answer = { known: true, roles: [], databases: [], undeclared: [], endlessCommits: "Every commit would wait." };
    await expect(findExisting(server, ["shop"])).rejects.toThrow("Every commit would wait.");
    expect(await inPreview(() => findExisting(server, ["shop"]))).toMatchObject({ known: true });
  });

  it("ends a preview of an external server that refuses, and continues if it is down", async () => {
    const external = Object.assign(Object.create(server), { isExternal: true }) as EmbeddedServer;
    answer = { known: false, isDown: false, reason: "No CONNECT privilege." };
    await expect(inPreview(() => findExisting(external, ["shop"]))).rejects.toThrow(
      "No CONNECT privilege.\n  Without this answer, a preview would show existing roles and databases as new.",
    );
    expect(await inPreview(() => findExisting(server, ["shop"]))).toMatchObject({ known: false });
    answer = { known: false, isDown: true, reason: "Cannot connect to it." };
    expect(await inPreview(() => findExisting(external, ["shop"]))).toMatchObject({ known: false });
  });

  it("finds nothing in a preview while the server's address is unknown", async () => {
    answer = {};
    expect(await inPreview(() => findExisting(server, ["shop"]))).toEqual({
      known: false,
      roles: new Set(),
      databases: new Set(),
      undeclared: [],
    });
  });
});
