/** Main workload of the server. Decides how memory is divided. */
export type WorkloadProfile = "web" | "oltp" | "dw" | "desktop" | "mixed";

/** Storage of the data directory. Decides the cost of a random read. */
export type StorageKind = "ssd" | "hdd" | "san" | "nvme";

/** The machine and its workload. */
export interface TuningInput {
  /** Memory that the server can use, in MB. */
  memoryMegabytes: number;
  cpus: number;
  profile: WorkloadProfile;
  storage: StorageKind;
  os: "linux" | "mac";
  /** True if the server is built with lz4. Debian's is, the embedded one is not. */
  hasLz4: boolean;
  /** Connections to plan for. If absent, the profile's number is used. */
  maxConnections?: number | undefined;
}

const kilobytesPerMegabyte = 1024;
const kilobytesPerGigabyte = 1024 * kilobytesPerMegabyte;

/** With fewer processors than this, PostgreSQL's own parallel settings stay as they are. */
const fewestParallelCpus = 4;

/** WAL that a replication slot may keep, as a multiple of `max_wal_size`. Consumers need time to catch up. */
const slotFactor = 4;

/** PostgreSQL's default of `max_worker_processes`. */
const defaultWorkerProcesses = 8;

interface Profile {
  maxConnections: number;
  /** Divisor of the memory: the shared buffers get one part in this many. */
  sharedBuffersPart: number;
  /** Share of the memory that the planner may expect to be used as cache. */
  cacheShare: number;
  maintenancePart: number;
  /** Divisor of `work_mem`: sessions of some workloads sort more things at once than those of others. */
  workMemDivisor: number;
  minWalMegabytes: number;
  maxWalMegabytes: number;
  statisticsTarget: number;
  /** False if compiling short queries costs more than it saves. */
  jit: boolean;
}

const web: Profile = {
  maxConnections: 200,
  sharedBuffersPart: 4,
  cacheShare: 3 / 4,
  maintenancePart: 16,
  workMemDivisor: 1,
  minWalMegabytes: 1024,
  maxWalMegabytes: 4096,
  statisticsTarget: 100,
  jit: false,
};

const profiles: Record<WorkloadProfile, Profile> = {
  web,
  oltp: { ...web, maxConnections: 300, minWalMegabytes: 2048, maxWalMegabytes: 8192 },
  dw: {
    ...web,
    maxConnections: 40,
    maintenancePart: 8,
    workMemDivisor: 2,
    minWalMegabytes: 4096,
    maxWalMegabytes: 16_384,
    statisticsTarget: 500,
    jit: true,
  },
  desktop: {
    ...web,
    maxConnections: 20,
    sharedBuffersPart: 16,
    cacheShare: 1 / 4,
    workMemDivisor: 6,
    minWalMegabytes: 100,
    maxWalMegabytes: 2048,
    jit: true,
  },
  mixed: { ...web, maxConnections: 100, workMemDivisor: 2 },
};

const readAheadRequests: Record<StorageKind, number> = { hdd: 2, ssd: 200, san: 300, nvme: 1000 };

/**
 * Plans settings of postgresql.conf for one machine and one workload, for PostgreSQL 17. Settings whose default is
 * right are left out.
 *
 * The rules are pgtune's (https://pgtune.leopard.in.ua, `src/features/configuration/configurationSlice.js` of
 * le0pard/pgtune at 830d3bb), for a database about as large as the memory. There are three deviations: `wal_level`
 * stays `replica`, `wal_compression` is `pglz` on a server without lz4, and replication slots have a limit. Comments in
 * the code give the reasons.
 *
 * @throws RangeError if memory, processors or connections are not whole numbers of at least 1
 */
export function planMemory(input: TuningInput): Record<string, string> {
  assertWhole("memoryMegabytes", input.memoryMegabytes);
  assertWhole("cpus", input.cpus);
  if (input.maxConnections !== undefined) assertWhole("maxConnections", input.maxConnections);

  const profile = profiles[input.profile];
  const memory = input.memoryMegabytes * kilobytesPerMegabyte;
  const maxConnections = input.maxConnections ?? profile.maxConnections;
  const sharedBuffers = Math.floor(memory / profile.sharedBuffersPart);
  const maintenanceWorkMem = Math.min(Math.floor(memory / profile.maintenancePart), 8 * kilobytesPerGigabyte);

  // pgtune gives the desktop profile `wal_level = minimal`. Such a server allows no base backup and no WAL archiving,
  // so PostgreSQL's default `replica` stays for every profile.
  return {
    max_connections: String(maxConnections),
    shared_buffers: size(sharedBuffers),
    effective_cache_size: size(Math.floor(memory * profile.cacheShare)),
    maintenance_work_mem: size(maintenanceWorkMem),
    checkpoint_completion_target: "0.9",
    wal_buffers: size(walBuffers(sharedBuffers)),
    default_statistics_target: String(profile.statisticsTarget),
    random_page_cost: randomPageCost(input),
    ...readAhead(input),
    work_mem: size(workMem(memory - sharedBuffers, maxConnections, input.cpus, profile)),
    huge_pages: input.os === "linux" && sharedBuffers >= 2 * kilobytesPerGigabyte ? "try" : "off",
    ...(profile.jit ? {} : { jit: "off" }),
    // pgtune uses lz4, which needs less CPU time. Only servers built with it accept it. Every build has pglz.
    wal_compression: input.hasLz4 ? "lz4" : "pglz",
    ...autovacuum(input.cpus, maintenanceWorkMem),
    min_wal_size: size(profile.minWalMegabytes * kilobytesPerMegabyte),
    max_wal_size: size(profile.maxWalMegabytes * kilobytesPerMegabyte),
    // PostgreSQL's default has no limit: a slot whose consumer is gone fills the disk, and the server stops. With a
    // limit, the slot is lost and the server runs on.
    max_slot_wal_keep_size: size(slotFactor * profile.maxWalMegabytes * kilobytesPerMegabyte),
    ...parallelism(input.cpus, input.profile),
  };
}

/**
 * Returns 3 % of the shared buffers, at most one WAL segment (16 MB). A result close to a segment is rounded up to it.
 */
function walBuffers(sharedBuffers: number): number {
  const segment = 16 * kilobytesPerMegabyte;
  const share = Math.floor((3 * sharedBuffers) / 100);
  return share > 14 * kilobytesPerMegabyte ? segment : Math.max(share, 32);
}

/**
 * Returns the memory that one sort or hash may use. The divisor 3 is for sessions that run several at once. The minimum
 * is 4 MB, since below that even simple queries would use the disk.
 */
function workMem(unshared: number, maxConnections: number, cpus: number, profile: Profile): number {
  const workers = cpus < fewestParallelCpus ? defaultWorkerProcesses : cpus;
  const share = unshared / ((maxConnections + workers) * 3);
  return Math.max(Math.floor(share / profile.workMemDivisor), 4 * kilobytesPerMegabyte);
}

/**
 * Returns the planner's cost of a random read. A low cost makes index scans likely: right for a lookup on flash
 * storage, but harmful for a warehouse's large reads, even there.
 */
function randomPageCost({ storage, profile }: TuningInput): string {
  return storage === "hdd" || profile === "dw" ? "4" : "1.1";
}

/** macOS has no posix_fadvise: PostgreSQL 17 rejects any value but 0 there. */
function readAhead({ os, storage }: TuningInput): Record<string, string> {
  return os === "linux" ? { effective_io_concurrency: String(readAheadRequests[storage]) } : {};
}

/**
 * Limits memory and raises the number of autovacuum workers on large machines. Each worker may use
 * `maintenance_work_mem`, which is far too much in total there.
 */
function autovacuum(cpus: number, maintenanceWorkMem: number): Record<string, string> {
  const limit = 2 * kilobytesPerGigabyte;
  return {
    ...(cpus >= 16 ? { autovacuum_max_workers: cpus >= 32 ? "5" : "4" } : {}),
    ...(maintenanceWorkMem >= limit ? { autovacuum_work_mem: size(limit) } : {}),
  };
}

function parallelism(cpus: number, profile: WorkloadProfile): Record<string, string> {
  if (cpus < fewestParallelCpus) return {};
  const half = Math.ceil(cpus / 2);
  return {
    max_worker_processes: String(cpus),
    // More than four workers rarely make one query faster. A warehouse runs few queries and gives each of them half of
    // the processors.
    max_parallel_workers_per_gather: String(profile === "dw" ? half : Math.min(half, 4)),
    max_parallel_workers: String(cpus),
    max_parallel_maintenance_workers: String(Math.min(half, 4)),
  };
}

/** Formats kilobytes in the largest unit that keeps the exact value. */
function size(kilobytes: number): string {
  if (kilobytes % kilobytesPerGigabyte === 0) return `${kilobytes / kilobytesPerGigabyte}GB`;
  if (kilobytes % kilobytesPerMegabyte === 0) return `${kilobytes / kilobytesPerMegabyte}MB`;
  return `${kilobytes}kB`;
}

function assertWhole(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new RangeError(`${name} must be a whole number of at least 1, got ${value}`);
  }
}
