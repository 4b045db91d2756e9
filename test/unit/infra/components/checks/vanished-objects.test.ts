import * as pulumi from "@pulumi/pulumi";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Existing } from "../../../../../infra/components/checks/existing-objects.ts";
import { type Declared, warnOfVanished } from "../../../../../infra/components/checks/vanished-objects.ts";
import { EmbeddedServer } from "../../../../../infra/components/embedded-server.ts";
import type { Properties } from "../../../../../infra/provider-protocol/values.ts";
import { recordResources, registered } from "../recorded-resources.ts";

let server: EmbeddedServer;
let declared: Declared[];
let asked: pulumi.runtime.MockCallArgs[];
let answer: Properties;
const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();

const found = (roles: string[], databases: string[]): Existing => {
  return { known: true, roles: new Set(roles), databases: new Set(databases), undeclared: [] };
};
const settled = (output: pulumi.Output<unknown>) => (output as unknown as { promise(): Promise<unknown> }).promise();

const makeServer = (name: string) => {
  const args = { settings: {}, passwordVersion: "1", readyTimeout: 60 };
  return registered((options) => new EmbeddedServer(name, args, options));
};

beforeAll(async () => {
  await recordResources((args) => {
    asked.push(args);
    return answer;
  });
  server = await makeServer("server");
  declared = [
    { kind: "roles", name: "shop_app", resource: server.provider },
    { kind: "databases", name: "shop", resource: server.provider },
  ];
});
beforeEach(() => {
  asked = [];
  warn.mockClear();
});

describe("objects that are in the state but no longer on the server", () => {
  it("are queried again only if some did not exist before", async () => {
    await settled(warnOfVanished(server, found(["shop_app"], ["shop"]), declared));
    await settled(warnOfVanished(server, { ...found([], []), known: false }, declared));
    expect(asked).toEqual([]);
  });

  it("are not reported if the run has created them", async () => {
    answer = { known: true, roles: ["shop_app"], databases: [] };
    await settled(warnOfVanished(server, found([], ["shop"]), declared));
    expect(asked.map(({ inputs }) => [inputs.roles, inputs.databases])).toEqual([[["shop_app"], []]]);
  });

  it("end an up with one message that names all of them, but not new objects", async () => {
    const error = vi.spyOn(pulumi.log, "error").mockResolvedValue();
    const exit = vi.spyOn(process, "exit").mockImplementation((() => undefined) as never);
    answer = { known: true, roles: ["new_app"], databases: [] };
    const other = await makeServer("other");
    const group = (name: string): Declared => ({ kind: "roles", name, resource: server.provider });
    try {
      await Promise.all(
        [[group("monitor"), group("backup")], [group("new_app")], [group("shop_app"), ...declared.slice(1)]].map(
          (each) => settled(warnOfVanished(other, found([], []), each)),
        ),
      );
      expect(error.mock.calls.map(([text]) => text)).toEqual([
        expect.stringContaining(
          'The server no longer has role "monitor", role "backup", role "shop_app", database "shop",',
        ),
      ]);
      expect(exit.mock.calls).toEqual([[32]]);
    } finally {
      exit.mockRestore();
      error.mockRestore();
    }
  });

  it("are a warning in a preview, with the command that updates the state", async () => {
    const options = pulumi.runtime as unknown as { _setIsDryRun(isPreview: boolean): void };
    options._setIsDryRun(true);
    try {
      await settled(warnOfVanished(server, found([], []), declared));
      await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(2));
    } finally {
      options._setIsDryRun(false);
    }
    const notice =
      "It was probably dropped by hand. To update the state, run `npm run pgw -- refresh --stack stack`. " +
      "The next `up` then creates what is missing.";
    expect(warn.mock.calls.map(([text]) => text).sort()).toEqual([
      `The server no longer has database "shop", which this stack created. ${notice} A database that is created again is empty: restore its data.`,
      `The server no longer has role "shop_app", which this stack created. ${notice}`,
    ]);
    expect(asked).toEqual([]);
  });
});
