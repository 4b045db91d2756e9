import { existsSync } from "node:fs";
import { readdir, readFile, watch } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { serverFolders } from "../../../../../scripts/server/server-record.ts";
import type { Clone } from "../../../clone.ts";
import { commit, shopDrafts } from "../shop.ts";

/** A point during a first `up`: its preparation, and the check that it is reached. */
export interface Moment {
  name: string;
  prepare?: (clone: Clone) => Promise<unknown>;
  reached: (clone: Clone) => Promise<unknown>;
}

const pause = "select pg_sleep(3);";

/** Points at which runs are killed, in the order of an `up`. */
export const moments = {
  makingData: {
    name: "the data directory is made",
    reached: (clone) => until(async () => (await serverFiles(clone)).some((file) => file.startsWith("data.initdb."))),
  },
  serverStarted: {
    name: "the server has just been started",
    reached: (clone) => until(async () => (await serverFiles(clone)).includes("postmaster.pid")),
  },
  makingRoles: {
    name: "roles are made",
    reached: (clone) => until(async () => (await stateOf(clone)).includes('"postgresql:index/role:Role"')),
  },
  migrating: {
    name: "migrations run",
    prepare: (clone) =>
      commit(clone, [...shopDrafts, { name: "slow", body: `create table slow (id integer);\n${pause}` }]),
    reached: (clone) => until(() => sleepsIn(clone)),
  },
  seeding: {
    name: "seeds run",
    prepare: (clone) => clone.write("migrations/shop/seeds/reference/020-slow.sql", `--! Title: slow\n\n${pause}\n`),
    reached: (clone) => until(() => sleepsIn(clone)),
  },
  writingState: {
    name: "the state is written",
    reached: async (clone) => {
      await until(async () => (await stateOf(clone)).includes('"pulumi:pulumi:Stack"'));
      await stateIsWritten(clone);
    },
  },
} satisfies Record<string, Moment>;

function until(what: () => Promise<boolean>): Promise<void> {
  return expect.poll(what, { timeout: 60_000, interval: 20 }).toBe(true);
}

/** Lists the files in the folder of the project's only server, and `postmaster.pid` if its data directory has one. */
async function serverFiles(clone: Clone): Promise<string[]> {
  const [server] = await serverFolders(clone.dataHome);
  if (server === undefined) return [];
  const files = await readdir(server);
  return existsSync(join(server, "data", "postmaster.pid")) ? [...files, "postmaster.pid"] : files;
}

/**
 * Returns true if a session on the shop runs the slow statement. Reads the process titles, because the stack has no
 * outputs with passwords yet.
 */
async function sleepsIn(clone: Clone): Promise<boolean> {
  const [server] = await serverFolders(clone.dataHome);
  const file = join(server ?? "", "data", "postmaster.pid");
  if (server === undefined || !existsSync(file)) return false;
  const [pid] = (await readFile(file, "utf8")).split("\n");
  const { stdout } = await clone.shell("ps -eo ppid,args");
  return new RegExp(`^ *${pid} postgres: shop_\\w+ shop .* SELECT *$`, "m").test(stdout);
}

async function stateOf(clone: Clone): Promise<string> {
  return readFile(join(stacksOf(clone), "local.json"), "utf8").catch(() => "");
}

function stacksOf(clone: Clone): string {
  return join(clone.root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork");
}

/** At every step, the engine first writes a temporary file next to the state. */
async function stateIsWritten(clone: Clone): Promise<void> {
  const written = watch(stacksOf(clone), { signal: AbortSignal.timeout(60_000) });
  for await (const { filename } of written) if (filename?.endsWith(".tmp")) return;
}
