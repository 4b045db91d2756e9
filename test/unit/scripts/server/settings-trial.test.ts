import { describe, expect, it } from "vitest";
import {
  dataFault,
  type LiveState,
  startRefusal,
  TrialRefused,
  type TriedSettings,
  trySettings,
} from "../../../../scripts/server/settings-trial.ts";

const idle: LiveState = {
  ...{ altered: "", preparedTransactions: 0, slots: 0, logicalSlots: 0, origins: 0 },
  ...{ sharedMemoryMb: 150, hugePages: "on", standbys: [] },
};
const tried: TriedSettings = {
  ...{ preparedTransactions: 0, slots: 10, walLevel: "replica" },
  ...{ standbyNames: "", synchronousCommit: "on" },
};
const noMemory = "could not map anonymous shared memory: Cannot allocate memory";

describe("the reason that a server gives for not starting", () => {
  it.each([
    [
      'postgres: "superuser_reserved_connections" (98) plus "reserved_connections" (3) must be less than "max_connections" (100)\n',
      '"superuser_reserved_connections" (98) plus "reserved_connections" (3) must be less than "max_connections" (100)',
    ],
    [
      `LOG:  starting PostgreSQL\nFATAL:  ${noMemory}\nHINT:  Reduce the request.\n\tOr max_connections.\nLOG:  database system is shut down\n`,
      `${noMemory}\nHINT:  Reduce the request.\nOr max_connections.`,
    ],
    ["LOG:  one\nLOG:  two\n", "LOG:  one\nLOG:  two"],
    ["", "it ended without a message"],
  ])("is found in its log: %j", (log, reason) => {
    expect(startRefusal(log)).toBe(reason);
  });
});

describe("a trial of settings", () => {
  /** Tries settings on a system that grants shared buffers up to a number of pages; returns what was started. */
  async function startsWith(settings: Record<string, string>, free: number, live: LiveState | undefined) {
    const started: string[] = [];
    await trySettings(settings, live, async (overrides) => {
      const buffers = overrides.shared_buffers ?? settings.shared_buffers ?? "";
      started.push(buffers);
      if (Number(buffers) > free) throw new TrialRefused(noMemory);
      return tried;
    });
    return started;
  }

  it("starts one cluster if that starts", async () => {
    expect(await startsWith({ shared_buffers: "1000" }, 1000, idle)).toEqual(["1000"]);
  });

  it("allows for the memory that the running server frees at its restart", async () => {
    const settings = { shared_buffers: "20000", huge_pages: "on" };
    expect(await startsWith(settings, 1000, idle)).toEqual(["20000", "800"]);
    await expect(startsWith(settings, 700, idle)).rejects.toThrow(noMemory);
  });

  it.each([
    ["no server runs", undefined],
    ["the running server has no huge pages", { ...idle, hugePages: "off" }],
  ])("does not allow for it if %s", async (_, live) => {
    await expect(startsWith({ shared_buffers: "20000", huge_pages: "on" }, 1000, live)).rejects.toMatchObject({
      message: `PostgreSQL does not start with these settings: ${noMemory}`,
      hint: expect.stringContaining("The server was not changed."),
    });
  });

  it("refuses synchronous standbys that are not connected, unless those of a stopped server are unknown", async () => {
    const start = async () => ({ ...tried, standbyNames: "replica" });
    const refused = "Every commit on the server would wait without a time limit for a synchronous standby";
    await expect(trySettings({}, idle, start)).rejects.toThrow(refused);
    await expect(trySettings({}, undefined, start, [])).rejects.toThrow(refused);
    await trySettings({}, { ...idle, standbys: ["replica"] }, start);
    await trySettings({}, undefined, start);
  });

  it("passes an error on that is not about the settings", async () => {
    const failing = trySettings({}, idle, () => Promise.reject(new Error("no disk")));
    await expect(failing).rejects.toThrow(/^no disk$/);
  });
});

describe("the data of a running server", () => {
  it.each<[string, Partial<LiveState>, Partial<TriedSettings>, string | undefined]>([
    ["nothing that matters", {}, {}, undefined],
    ["as many prepared transactions as fit", { preparedTransactions: 2 }, { preparedTransactions: 2 }, undefined],
    ["a prepared transaction too many", { preparedTransactions: 1 }, {}, "max_prepared_transactions is 0, but"],
    [
      "a slot too many",
      { slots: 2 },
      { slots: 1 },
      "max_replication_slots is 1, but the server has 2 replication slots",
    ],
    ["an origin too many", { origins: 1 }, { slots: 0 }, "the server has 1 replication origin (pg_replication"],
    ["a logical slot", { slots: 1, logicalSlots: 1 }, {}, "wal_level is replica, but the server has a logical"],
    ["a slot, without WAL for it", { slots: 1 }, { walLevel: "minimal" }, "wal_level is minimal, but the server has a"],
  ])("decides if it can start again: %s", (_, live, settings, fault) => {
    const found = dataFault({ ...idle, ...live }, { ...tried, ...settings });
    if (fault === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(fault);
  });
});
