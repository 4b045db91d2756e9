import { describe, expect, it } from "vitest";
import { planMemory, type TuningInput } from "../../../../infra/plan/tuning.ts";

const gigabyte = 1024;

const laptop: TuningInput = {
  memoryMegabytes: 16 * gigabyte,
  cpus: 8,
  profile: "desktop",
  storage: "ssd",
  os: "linux",
  hasLz4: false,
};

/** Values that the tests of pgtune's own configurationSlice expect. */
describe("planned settings that match pgtune's own tests", () => {
  const web: TuningInput = {
    memoryMegabytes: 4 * gigabyte,
    cpus: 4,
    profile: "web",
    storage: "ssd",
    os: "linux",
    hasLz4: true,
  };

  it.each([
    ["web", "200"],
    ["oltp", "300"],
    ["dw", "40"],
    ["desktop", "20"],
    ["mixed", "100"],
  ] as const)("have for the profile %s max_connections of %s", (profile, connections) => {
    expect(planMemory({ ...web, profile }).max_connections).toBe(connections);
  });

  it("have at most 8 GB of maintenance_work_mem and 2 GB of autovacuum_work_mem", () => {
    expect(planMemory({ ...web, memoryMegabytes: 256 * gigabyte })).toMatchObject({
      maintenance_work_mem: "8GB",
      autovacuum_work_mem: "2GB",
    });
    expect(planMemory({ ...web, memoryMegabytes: 16 * gigabyte }).maintenance_work_mem).toBe("1GB");
    expect(planMemory(web)).not.toHaveProperty("autovacuum_work_mem");
  });

  it("have at least 4 MB of work_mem for any number of connections", () => {
    expect(planMemory({ ...web, maxConnections: 9999 }).work_mem).toBe("4MB");
  });

  it("try huge pages from 2 GB of shared buffers, and never on macOS", () => {
    expect(planMemory(web).huge_pages).toBe("off");
    expect(planMemory({ ...web, memoryMegabytes: 16 * gigabyte }).huge_pages).toBe("try");
    expect(planMemory({ ...web, memoryMegabytes: 128 * gigabyte, os: "mac" }).huge_pages).toBe("off");
  });

  it("have a random_page_cost by storage, and for a data warehouse that of a hard disk", () => {
    const cost = (changes: Partial<TuningInput>) => planMemory({ ...web, ...changes }).random_page_cost;
    expect([
      cost({ storage: "hdd" }),
      cost({ storage: "ssd" }),
      cost({ storage: "san" }),
      cost({ storage: "nvme" }),
    ]).toEqual(["4", "1.1", "1.1", "1.1"]);
    expect(cost({ profile: "dw" })).toBe("4");
  });

  it("have an effective_io_concurrency by storage on Linux, and none on macOS", () => {
    const requests = (storage: TuningInput["storage"]) => planMemory({ ...web, storage }).effective_io_concurrency;
    expect([requests("hdd"), requests("ssd"), requests("san"), requests("nvme")]).toEqual(["2", "200", "300", "1000"]);
    expect(planMemory({ ...web, os: "mac" })).not.toHaveProperty("effective_io_concurrency");
  });

  it("give a query at most four workers, and a data warehouse half the processors", () => {
    expect(planMemory({ ...web, cpus: 31 })).toMatchObject({
      max_worker_processes: "31",
      max_parallel_workers_per_gather: "4",
      max_parallel_workers: "31",
      max_parallel_maintenance_workers: "4",
    });
    expect(planMemory({ ...web, cpus: 31, profile: "dw" }).max_parallel_workers_per_gather).toBe("16");
  });

  it("turn JIT off for short queries and leave it to PostgreSQL otherwise", () => {
    for (const profile of ["web", "oltp", "mixed"] as const) expect(planMemory({ ...web, profile }).jit).toBe("off");
    for (const profile of ["dw", "desktop"] as const) expect(planMemory({ ...web, profile })).not.toHaveProperty("jit");
  });

  it("add autovacuum workers from 16 and from 32 processors", () => {
    const workers = (cpus: number) => planMemory({ ...web, cpus }).autovacuum_max_workers;
    expect([workers(8), workers(15), workers(16), workers(31), workers(32)]).toEqual([
      undefined,
      undefined,
      "4",
      "4",
      "5",
    ]);
  });
});

describe("planned settings that differ from pgtune", () => {
  it("never contain wal_level or max_wal_senders, so that backups stay possible", () => {
    for (const profile of ["web", "oltp", "dw", "desktop", "mixed"] as const) {
      const settings = planMemory({ ...laptop, profile });
      expect(settings).not.toHaveProperty("wal_level");
      expect(settings).not.toHaveProperty("max_wal_senders");
    }
  });

  it("compress WAL with pglz on a server that is built without lz4", () => {
    expect(planMemory({ ...laptop, hasLz4: false }).wal_compression).toBe("pglz");
    expect(planMemory({ ...laptop, hasLz4: true }).wal_compression).toBe("lz4");
  });

  it("let a replication slot keep four times max_wal_size", () => {
    const limits = (profile: TuningInput["profile"]) => {
      const { max_wal_size, max_slot_wal_keep_size } = planMemory({ ...laptop, profile });
      return [max_wal_size, max_slot_wal_keep_size];
    };
    expect([limits("desktop"), limits("web"), limits("dw")]).toEqual([
      ["2GB", "8GB"],
      ["4GB", "16GB"],
      ["16GB", "64GB"],
    ]);
  });
});

describe("planned settings at the limits", () => {
  it("fit the smallest machine", () => {
    expect(planMemory({ ...laptop, memoryMegabytes: 256, cpus: 1 })).toEqual({
      max_connections: "20",
      shared_buffers: "16MB",
      effective_cache_size: "64MB",
      maintenance_work_mem: "16MB",
      checkpoint_completion_target: "0.9",
      wal_buffers: "491kB",
      default_statistics_target: "100",
      random_page_cost: "1.1",
      effective_io_concurrency: "200",
      work_mem: "4MB",
      huge_pages: "off",
      wal_compression: "pglz",
      min_wal_size: "100MB",
      max_wal_size: "2GB",
      max_slot_wal_keep_size: "8GB",
    });
  });

  it("fit a machine with 1 GB", () => {
    expect(planMemory({ ...laptop, memoryMegabytes: gigabyte, cpus: 2, profile: "web" })).toMatchObject({
      shared_buffers: "256MB",
      effective_cache_size: "768MB",
      maintenance_work_mem: "64MB",
      wal_buffers: "7864kB",
      work_mem: "4MB",
    });
  });

  it("fit a machine with 512 GB and 128 processors", () => {
    const large = { ...laptop, memoryMegabytes: 512 * gigabyte, cpus: 128 };
    expect(planMemory({ ...large, profile: "dw", storage: "nvme" })).toEqual({
      max_connections: "40",
      shared_buffers: "128GB",
      effective_cache_size: "384GB",
      maintenance_work_mem: "8GB",
      checkpoint_completion_target: "0.9",
      wal_buffers: "16MB",
      default_statistics_target: "500",
      random_page_cost: "4",
      effective_io_concurrency: "1000",
      work_mem: "399457kB",
      huge_pages: "try",
      wal_compression: "pglz",
      autovacuum_max_workers: "5",
      autovacuum_work_mem: "2GB",
      min_wal_size: "4GB",
      max_wal_size: "16GB",
      max_slot_wal_keep_size: "64GB",
      max_worker_processes: "128",
      max_parallel_workers_per_gather: "64",
      max_parallel_workers: "128",
      max_parallel_maintenance_workers: "4",
    });
  });

  it("have no parallel settings below four processors", () => {
    expect(planMemory({ ...laptop, cpus: 3 })).not.toHaveProperty("max_worker_processes");
    expect(planMemory({ ...laptop, cpus: 4 }).max_worker_processes).toBe("4");
  });

  it("round WAL buffers close to a segment up to one", () => {
    const buffers = (memoryMegabytes: number) => planMemory({ ...laptop, memoryMegabytes, profile: "web" }).wal_buffers;
    // 3 % of a quarter: 14,330 kB, then more than 14 MB (14,336 kB)
    expect([buffers(1866), buffers(1867), buffers(4096)]).toEqual(["14330kB", "16MB", "16MB"]);
  });

  it("have sizes in the largest unit without loss", () => {
    expect(planMemory({ ...laptop, memoryMegabytes: 7953, profile: "web" })).toMatchObject({
      shared_buffers: "2035968kB",
      effective_cache_size: "6107904kB",
      min_wal_size: "1GB",
    });
  });

  it.each([
    ["memoryMegabytes", 0],
    ["memoryMegabytes", 512.5],
    ["cpus", 0],
    ["cpus", Number.NaN],
    ["maxConnections", 0],
  ])("refuse %s = %d", (name, value) => {
    expect(() => planMemory({ ...laptop, [name]: value })).toThrow(
      new RangeError(`${name} must be a whole number of at least 1, got ${value}`),
    );
  });
});
