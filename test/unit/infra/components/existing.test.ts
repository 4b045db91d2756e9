import * as pulumi from "@pulumi/pulumi";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EmbeddedServer } from "../../../../infra/components/embedded-server.ts";
import { findExisting } from "../../../../infra/components/existing.ts";
import type { Properties } from "../../../../infra/plugin/values.ts";
import { recordResources, registered } from "./recorded-resources.ts";

let server: EmbeddedServer;
let asked: pulumi.runtime.MockCallArgs[];
let answer: Properties;

beforeAll(async () => {
  await recordResources((args) => {
    asked.push(args);
    return answer;
  });
  const args = { settings: {}, passwordKeeper: "1", readyTimeout: 60 };
  server = await registered((options) => new EmbeddedServer("server", args, options));
});
beforeEach(() => {
  asked = [];
});

/** As in a preview, for as long as the work takes. */
async function inPreview<T>(work: () => Promise<T>): Promise<T> {
  const options = pulumi.runtime as unknown as { _setIsDryRun(isPreview: boolean): void };
  options._setIsDryRun(true);
  try {
    return await work();
  } finally {
    options._setIsDryRun(false);
  }
}

describe("what a server has already", () => {
  it("is asked for once, by the superuser, with every name that will be declared", async () => {
    answer = { known: true, roles: ["monitor", "shop_owner"], databases: ["shop"] };
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
        ...["shop_owner", "shop_migrator", "shop_app", "shop_readonly"],
        ...["depot_owner", "depot_migrator", "depot_app", "depot_readonly"],
      ],
      databases: ["shop", "depot"],
    });
    expect(found).toEqual({ known: true, roles: new Set(["monitor", "shop_owner"]), databases: new Set(["shop"]) });
  });

  it("is nothing in a preview that gets no answer, and an error in an up", async () => {
    answer = { known: false, isDown: true, reason: "Cannot connect to it." };
    const nothing = { known: false, roles: new Set(), databases: new Set() };
    expect(await inPreview(() => findExisting(server, ["shop"]))).toEqual(nothing);
    await expect(findExisting(server, ["shop"])).rejects.toThrow(
      "The server could not be asked what it has: Cannot connect to it.",
    );
  });

  it("is nothing in a preview that does not know the server's address yet", async () => {
    answer = {};
    expect(await inPreview(() => findExisting(server, ["shop"]))).toEqual({
      known: false,
      roles: new Set(),
      databases: new Set(),
    });
  });
});
