import { describe, expect, it } from "vitest";
import { processLimit } from "../../../../infra/plan/container-limits.ts";

describe("the limit of processes in a server's container", () => {
  it("has room for every session and worker that the settings allow", () => {
    const settings = { max_connections: "300", max_worker_processes: "32", autovacuum_max_workers: "5" };
    expect(processLimit({ ...settings, max_wal_senders: "20" })).toBe(300 + 32 + 5 + 20 + 128);
  });

  it("counts PostgreSQL's defaults for settings that are absent or that PostgreSQL refuses", () => {
    expect(processLimit({})).toBe(100 + 8 + 3 + 10 + 128);
    expect(processLimit({ max_connections: "many", max_wal_senders: "-1" })).toBe(processLimit({}));
  });
});
