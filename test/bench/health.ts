import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { withClient } from "../../scripts/connection/client.ts";
import type { Connection } from "../../scripts/connection/connection.ts";
import { residentMegabytes, startHealth } from "../support/health-process.ts";
import type { Measurement } from "./measurement.ts";
import { startBenchServer } from "./server.ts";

const tables = 1_000;
const requestsPerSecond = 50;
const requests = 1_000;
/** Interval in s of snapshots while their processor time is measured, and the default one. */
const [measuredInterval, defaultInterval] = [2, 30];
const measuredSnapshots = 20;

/**
 * Measures the health server next to a server with many tables: the times of its answers, and the processor time of a
 * snapshot on both sides.
 */
export async function benchHealth(scratch: string): Promise<Measurement[]> {
  const server = await startBenchServer(scratch, { shared_preload_libraries: "pg_stat_statements" });
  try {
    await withClient(server.superuser, fill);
    const postmaster = await withClient(server.superuser, async (client) => {
      const { rows } = await client.query<{ directory: string }>(
        "select setting as directory from pg_settings where name = 'data_directory'",
      );
      const [pid = ""] = (await readFile(join(rows[0]?.directory ?? "", "postmaster.pid"), "utf8")).split("\n");
      return Number(pid);
    });
    return [
      await measureAnswers(scratch, server.superuser),
      await measureSnapshots(scratch, server.superuser, postmaster),
    ];
  } finally {
    await server.stop();
  }
}

async function fill(client: Client): Promise<void> {
  await client.query("create extension pg_stat_statements");
  for (let i = 0; i < tables; i += 1) await client.query(`create table measured_${i} (id bigint primary key)`);
}

async function measureAnswers(scratch: string, connection: Connection): Promise<Measurement> {
  const health = await startHealth(scratch, connection, defaultInterval);
  try {
    const ask = async () => {
      const started = performance.now();
      const answer = await fetch(`${health.url}/api/health/database`);
      await answer.text();
      if (answer.status !== 200) throw new Error(`The health server answered ${answer.status}.`);
      return performance.now() - started;
    };
    // The first requests find cold code and no connection.
    for (let i = 0; i < requestsPerSecond; i += 1) await ask();
    const started = performance.now();
    const asked: Promise<number>[] = [];
    while (asked.length < requests) {
      await sleep(Math.max(0, started + (asked.length * 1_000) / requestsPerSecond - performance.now()));
      asked.push(ask());
    }
    const times = (await Promise.all(asked)).toSorted((a, b) => a - b);
    const at = (share: number) => times[Math.ceil(share * times.length) - 1] ?? Number.NaN;
    return {
      what: `health: /api/health/database at ${requestsPerSecond} requests/s, p99`,
      here: `${at(0.99).toFixed(1)} ms, median ${at(0.5).toFixed(1)} ms, longest ${at(1).toFixed(1)} ms`,
      target: "≤ 10 ms",
      met: at(0.99) <= 10,
    };
  } finally {
    await health.stop();
  }
}

async function measureSnapshots(scratch: string, connection: Connection, postmaster: number): Promise<Measurement> {
  const watchedMs = measuredSnapshots * measuredInterval * 1_000;
  const idle = await processorTime([postmaster], watchedMs);
  const health = await startHealth(scratch, connection, measuredInterval);
  try {
    // The first snapshots find cold code.
    await sleep(5 * measuredInterval * 1_000);
    const busy = await processorTime([postmaster, health.pid], watchedMs);
    const seconds = (busy - idle) / measuredSnapshots;
    const share = seconds / defaultInterval;
    const memory = await residentMegabytes(health.pid);
    return {
      what: `health: a snapshot of ${tables} tables each ${defaultInterval} s, share of a processor`,
      here: `${(100 * share).toFixed(2)} % (${(1_000 * seconds).toFixed(0)} ms, memory ${memory.toFixed(0)} MB)`,
      target: "≤ 1 %",
      met: share <= 0.01,
    };
  } finally {
    await health.stop();
  }
}

/** Returns the processor time in s that processes and their children take within a time. */
async function processorTime(pids: readonly number[], ms: number): Promise<number> {
  const total = async () => (await Promise.all(pids.map(ticksOf))).reduce((sum, ticks) => sum + ticks, 0);
  const before = await total();
  await sleep(ms);
  return ((await total()) - before) / 100;
}

/** Returns the ticks of 10 ms that a process, its living children and those that have ended took. */
async function ticksOf(pid: number): Promise<number> {
  const own = await statOf(pid);
  const children = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(children.map((child) => statOf(child).catch(() => undefined)));
  const living = stats.filter((stat) => stat?.parent === pid).reduce((sum, stat) => sum + (stat?.ticks ?? 0), 0);
  return own.ticks + own.ended + living;
}

/** Reads proc_pid_stat(5). */
async function statOf(pid: number): Promise<{ parent: number; ticks: number; ended: number }> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const field = (number: number) => fields[number - 3] ?? Number.NaN;
  return { parent: field(4), ticks: field(14) + field(15), ended: field(16) + field(17) };
}
