import { describe, expect, it } from "vitest";
import { planMemory, type TuningInput } from "../../../../infra/plan/tuning.ts";

const gigabyte = 1024;

/** Parses published results: the text that pgtune prints. */
function published(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .trim()
      .split("\n")
      .map((line) => line.split("=").map((part) => part.trim())),
  );
}

/** A machine whose server is built with lz4, as pgtune expects. */
type Input = Omit<TuningInput, "hasLz4">;

/** For a current version, the plan equals pgtune's output except the limit of replication slots, which the kit adds. */
const currentVersion: [source: string, input: Input, text: string][] = [
  [
    // "PGTune 初始化配置", section 4U4G: DB Version 17, linux, mixed, 4 GB, 4 CPUs, 500 connections, hdd
    "4 GB, 4 CPUs, mixed, hdd",
    { memoryMegabytes: 4 * gigabyte, cpus: 4, profile: "mixed", storage: "hdd", os: "linux", maxConnections: 500 },
    `max_connections = 500
     shared_buffers = 1GB
     effective_cache_size = 3GB
     maintenance_work_mem = 256MB
     checkpoint_completion_target = 0.9
     wal_buffers = 16MB
     default_statistics_target = 100
     random_page_cost = 4
     effective_io_concurrency = 2
     work_mem = 4MB
     huge_pages = off
     jit = off
     wal_compression = lz4
     min_wal_size = 1GB
     max_wal_size = 4GB
     max_worker_processes = 4
     max_parallel_workers_per_gather = 2
     max_parallel_workers = 4
     max_parallel_maintenance_workers = 2`,
  ],
  [
    // Deployment guide of instaclone, "PostgreSQL tuning": web, 4 GB, 2 CPUs, 30 connections, nvme. DB Version 18;
    // io_method is left out, which 17 does not know
    "4 GB, 2 CPUs, web, nvme",
    { memoryMegabytes: 4 * gigabyte, cpus: 2, profile: "web", storage: "nvme", os: "linux", maxConnections: 30 },
    `max_connections = 30
     shared_buffers = 1GB
     effective_cache_size = 3GB
     maintenance_work_mem = 256MB
     checkpoint_completion_target = 0.9
     wal_buffers = 16MB
     default_statistics_target = 100
     random_page_cost = 1.1
     effective_io_concurrency = 1000
     work_mem = 27594kB
     huge_pages = off
     jit = off
     wal_compression = lz4
     min_wal_size = 1GB
     max_wal_size = 4GB`,
  ],
];

/**
 * Results of earlier versions, or for a database much smaller or larger than the memory. Settings with other rules are
 * left out.
 */
const sameRules: [source: string, input: Input, text: string][] = [
  [
    // "PGTune 初始化配置", section 8U16G; work_mem is left out, because the page assumes a database larger than the memory
    "16 GB, 8 CPUs, mixed, hdd",
    { memoryMegabytes: 16 * gigabyte, cpus: 8, profile: "mixed", storage: "hdd", os: "linux", maxConnections: 500 },
    `max_connections = 500
     shared_buffers = 4GB
     effective_cache_size = 12GB
     maintenance_work_mem = 1GB
     checkpoint_completion_target = 0.9
     wal_buffers = 16MB
     default_statistics_target = 100
     random_page_cost = 4
     effective_io_concurrency = 2
     huge_pages = try
     jit = off
     min_wal_size = 1GB
     max_wal_size = 4GB
     max_worker_processes = 8
     max_parallel_workers_per_gather = 4
     max_parallel_workers = 8
     max_parallel_maintenance_workers = 4`,
  ],
  [
    // A NixOS host: mixed, 32 GB, 6 CPUs, ssd; work_mem is left out, because the host's database is smaller than the
    // memory
    "32 GB, 6 CPUs, mixed, ssd",
    { memoryMegabytes: 32 * gigabyte, cpus: 6, profile: "mixed", storage: "ssd", os: "linux" },
    `max_connections = 100
     shared_buffers = 8GB
     effective_cache_size = 24GB
     maintenance_work_mem = 2GB
     checkpoint_completion_target = 0.9
     wal_buffers = 16MB
     default_statistics_target = 100
     random_page_cost = 1.1
     effective_io_concurrency = 200
     huge_pages = try
     jit = off
     autovacuum_work_mem = 2GB
     min_wal_size = 1GB
     max_wal_size = 4GB
     max_worker_processes = 6
     max_parallel_workers_per_gather = 3
     max_parallel_workers = 6
     max_parallel_maintenance_workers = 3`,
  ],
  [
    // https://pgtune.leopard.in.ua: DB Version 18, linux, web, 32 GB, 24 CPUs, 100 connections, ssd
    "32 GB, 24 CPUs, web, ssd",
    { memoryMegabytes: 32 * gigabyte, cpus: 24, profile: "web", storage: "ssd", os: "linux", maxConnections: 100 },
    `max_connections = 100
     shared_buffers = 8GB
     effective_cache_size = 24GB
     maintenance_work_mem = 2GB
     checkpoint_completion_target = 0.9
     wal_buffers = 16MB
     default_statistics_target = 100
     random_page_cost = 1.1
     effective_io_concurrency = 200
     work_mem = 67650kB
     huge_pages = try
     min_wal_size = 1GB
     max_wal_size = 4GB
     max_worker_processes = 24
     max_parallel_workers_per_gather = 4
     max_parallel_workers = 24
     max_parallel_maintenance_workers = 4`,
  ],
  [
    // 3DCityDB's documentation, "Hints for highly parallel systems": dw, 32 GB, 16 CPUs, 100 connections, ssd
    "32 GB, 16 CPUs, dw, ssd",
    { memoryMegabytes: 32 * gigabyte, cpus: 16, profile: "dw", storage: "ssd", os: "linux", maxConnections: 100 },
    `max_connections = 100
     shared_buffers = 8GB
     effective_cache_size = 24GB
     wal_buffers = 16MB
     default_statistics_target = 500
     effective_io_concurrency = 200
     huge_pages = try
     min_wal_size = 4GB
     max_wal_size = 16GB
     max_worker_processes = 16
     max_parallel_workers_per_gather = 8
     max_parallel_workers = 16
     max_parallel_maintenance_workers = 4`,
  ],
  [
    // A developer machine: 24 GB, 4 CPUs, ssd (DB Version 17, desktop). The kit also deviates from its `wal_level =
    // minimal`
    "24 GB, 4 CPUs, desktop, ssd",
    { memoryMegabytes: 24 * gigabyte, cpus: 4, profile: "desktop", storage: "ssd", os: "linux" },
    `max_connections = 20
     shared_buffers = 1536MB
     effective_cache_size = 6GB
     maintenance_work_mem = 1536MB
     wal_buffers = 16MB
     default_statistics_target = 100
     random_page_cost = 1.1
     effective_io_concurrency = 200
     huge_pages = off
     min_wal_size = 100MB
     max_wal_size = 2GB
     max_worker_processes = 4
     max_parallel_workers_per_gather = 2
     max_parallel_workers = 4
     max_parallel_maintenance_workers = 2`,
  ],
  [
    // Xata's defaults for its smallest instance: mixed, 1 GB, 1 CPU, 50 connections, san
    "1 GB, 1 CPU, mixed, san",
    { memoryMegabytes: gigabyte, cpus: 1, profile: "mixed", storage: "san", os: "linux", maxConnections: 50 },
    `max_connections = 50
     shared_buffers = 256MB
     effective_cache_size = 768MB
     maintenance_work_mem = 64MB
     wal_buffers = 7864kB
     default_statistics_target = 100
     random_page_cost = 1.1
     huge_pages = off
     min_wal_size = 1GB
     max_wal_size = 4GB`,
  ],
  [
    // Setup of an experiment: oltp, 64 GB, 32 CPUs, SAN (DB Version 12)
    "64 GB, 32 CPUs, oltp, san",
    { memoryMegabytes: 64 * gigabyte, cpus: 32, profile: "oltp", storage: "san", os: "linux" },
    `max_connections = 300
     shared_buffers = 16GB
     effective_cache_size = 48GB
     effective_io_concurrency = 300
     huge_pages = try
     min_wal_size = 2GB
     max_wal_size = 8GB
     max_worker_processes = 32
     max_parallel_workers_per_gather = 4
     max_parallel_workers = 32
     max_parallel_maintenance_workers = 4`,
  ],
];

describe("planned settings that match published results of pgtune", () => {
  it.each(currentVersion)("%s", (_source, input, text) => {
    const { max_slot_wal_keep_size: _, ...planned } = planMemory({ ...input, hasLz4: true });
    expect(planned).toEqual(published(text));
  });

  it.each(sameRules)("%s", (_source, input, text) => {
    expect(planMemory({ ...input, hasLz4: true })).toMatchObject(published(text));
  });
});
