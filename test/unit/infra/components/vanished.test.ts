import * as pulumi from "@pulumi/pulumi";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { EmbeddedServer } from "../../../../infra/components/embedded-server.ts";
import type { Existing } from "../../../../infra/components/existing.ts";
import { type Declared, noticeVanished } from "../../../../infra/components/vanished.ts";
import type { Properties } from "../../../../infra/plugin/values.ts";
import { recordResources, registered } from "./recorded-resources.ts";

let server: EmbeddedServer;
let declared: Declared[];
let asked: pulumi.runtime.MockCallArgs[];
let answer: Properties;
const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();

const found = (roles: string[], databases: string[]): Existing => {
  return { known: true, roles: new Set(roles), databases: new Set(databases) };
};
const settled = (output: pulumi.Output<unknown>) => (output as unknown as { promise(): Promise<unknown> }).promise();

beforeAll(async () => {
  await recordResources((args) => {
    asked.push(args);
    return answer;
  });
  const args = { settings: {}, passwordKeeper: "1", readyTimeout: 60 };
  server = await registered((options) => new EmbeddedServer("server", args, options));
  declared = [
    { kind: "roles", name: "shop_app", resource: server.provider },
    { kind: "databases", name: "shop", resource: server.provider },
  ];
});
beforeEach(() => {
  asked = [];
  warn.mockClear();
});

describe("what is in the state and no more on the server", () => {
  it("is asked for again only where something was not there before", async () => {
    await settled(noticeVanished(server, found(["shop_app"], ["shop"]), declared));
    await settled(noticeVanished(server, { ...found([], []), known: false }, declared));
    expect(asked).toEqual([]);
  });

  it("is nothing where the run has made it", async () => {
    answer = { known: true, roles: ["shop_app"], databases: [] };
    await settled(noticeVanished(server, found([], ["shop"]), declared));
    expect(asked.map(({ inputs }) => [inputs.roles, inputs.databases])).toEqual([[["shop_app"], []]]);
  });

  it("is a warning of a preview, with the command that takes note of it", async () => {
    const options = pulumi.runtime as unknown as { _setIsDryRun(isPreview: boolean): void };
    options._setIsDryRun(true);
    try {
      await settled(noticeVanished(server, found([], []), declared));
      await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(2));
    } finally {
      options._setIsDryRun(false);
    }
    const notice =
      "`npm run pgw -- refresh --stack stack` takes note of that, and the next `up` makes what is gone anew.";
    expect(warn.mock.calls.map(([text]) => text).sort()).toEqual([
      `The server has no database "shop" any more, which this stack made: dropped by hand? ${notice} A database is then empty: restore its rows.`,
      `The server has no role "shop_app" any more, which this stack made: dropped by hand? ${notice}`,
    ]);
    expect(asked).toEqual([]);
  });
});
