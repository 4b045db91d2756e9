import { expect, it } from "vitest";
import type { StackOutputs } from "../../../../scripts/model/stack-outputs.ts";
import { containersBesides, readServerState } from "../../../../scripts/stack/server-state.ts";

it("the containers of a stack are all but the server and scratch containers, and declared ones that are gone", () => {
  const container = (name: string, role: string, State: string, Status: string) => {
    return { Names: [`/${name}`], Labels: { "pgroundwork.role": role }, State, Status };
  };
  const found = [
    container("shop-prometheus", "prometheus", "exited", "Exited (1) 2 minutes ago"),
    container("shop-postgres", "postgres", "running", "Up 3 hours (healthy)"),
    container("shop-backup", "backup", "running", "Up 3 hours"),
    container("trial", "scratch", "running", "Up 3 seconds"),
  ];
  expect(containersBesides("shop-postgres", found, ["backup", "prometheus", "volume-exporter"])).toEqual([
    { name: "shop-backup", running: true, status: "Up 3 hours" },
    { name: "shop-prometheus", running: false, status: "Exited (1) 2 minutes ago" },
    { name: "volume-exporter", running: false, status: "does not exist" },
  ]);
});

it("the state of an external server that cannot be reached is unknown, not stopped", async () => {
  // No server can listen on port 1 of this address.
  const server = { kind: "external", host: "127.0.0.1", port: 1, sslmode: "disable", version: "17.10", logins: {} };
  const state = await readServerState({ server, databases: {}, protected: false } as unknown as StackOutputs);
  expect(state).toEqual({ state: "unknown", reason: expect.stringContaining("nothing listens on 127.0.0.1:1") });
});

it("the state of an embedded server whose data directory is gone is stopped, whoever listens on its port", async () => {
  const server = { kind: "embedded", dataDirectory: "/nonexistent/data", host: "127.0.0.1", port: 1, logins: {} };
  expect(await readServerState({ server, databases: {}, protected: false } as unknown as StackOutputs)).toEqual({
    state: "stopped",
    reason: "its data directory does not exist: /nonexistent/data",
  });
});
