import { NotKnown, type Observer } from "../../connection/observer.ts";
import type { Check, Problem } from "../check.ts";
import { bytes, percent } from "../text.ts";

interface Row {
  buffers: number;
  workMem: number;
  maintenance: number;
  workers: number;
  sessions: number;
}

const query = `
  select pg_size_bytes(current_setting('shared_buffers'))::float8 as buffers, pg_size_bytes(current_setting('work_mem'))::float8 as "workMem",
         pg_size_bytes(case current_setting('autovacuum_work_mem') when '-1' then current_setting('maintenance_work_mem')
                       else current_setting('autovacuum_work_mem') end)::float8 as maintenance,
         current_setting('autovacuum_max_workers')::float8 as workers, current_setting('max_connections')::float8 as sessions`;

export const memorySetting: Check = {
  name: "memory-setting",
  title: "The server may use more memory than its machine has",
  scope: "server",
  async find(observer) {
    const memory = await machineMemory(observer);
    const [row] = await observer.query<Row>(query);
    if (row === undefined) throw new NotKnown("the server shows no settings");
    return { problems: judgeMemory(row, memory) };
  },
};

/** Compares the settings with the machine's memory in bytes. */
export function judgeMemory({ buffers, workMem, maintenance, workers, sessions }: Row, memory: number): Problem[] {
  if (buffers > 0.6 * memory)
    return [
      {
        object: "shared_buffers",
        level: "warning",
        detail: `shared_buffers is ${bytes(buffers)}, ${percent(buffers / memory)} of the machine's memory (${bytes(memory)}). Sessions and the operating system's cache need the rest.`,
        hint: "Set shared_buffers to a quarter of the memory, and restart.",
      },
    ];
  // Not every session sorts at the same time, so one sort each counts.
  const most = buffers + sessions * workMem + workers * maintenance;
  if (most <= memory) return [];
  return [
    {
      object: "work_mem",
      level: "warning",
      detail: `If each of ${sessions} sessions sorts once, the server needs ${bytes(most)}, but the machine has ${bytes(memory)}: shared_buffers ${bytes(buffers)}, work_mem ${bytes(workMem)}, autovacuum ${workers} times ${bytes(maintenance)}.`,
      hint: "Lower work_mem or max_connections, or put a connection pooler in front of the server.",
    },
  ];
}

/** Reads the memory of the server's machine, or the limit of its container, as the server itself sees them. */
async function machineMemory(observer: Observer): Promise<number> {
  const [right] = await observer.query<{ allowed: boolean }>(
    "select has_function_privilege('pg_read_file(text, bigint, bigint, boolean)', 'execute') as allowed",
  );
  if (right?.allowed !== true)
    throw new NotKnown(
      "only a superuser, or a role with pg_read_server_files, can read the memory of the server's machine",
    );
  const [row] = await observer.query<{ total: string | null; limit: string | null }>(
    `select (regexp_match(pg_read_file('/proc/meminfo', 0, 10000, true), 'MemTotal: +(\\d+) kB'))[1] as total,
            (regexp_match(pg_read_file('/sys/fs/cgroup/memory.max', 0, 100, true), '^\\d+'))[1] as limit`,
  );
  if (row === undefined || row.total === null) throw new NotKnown("the server's machine has no /proc/meminfo");
  const total = Number(row.total) * 1_024;
  return row.limit === null ? total : Math.min(total, Number(row.limit));
}
