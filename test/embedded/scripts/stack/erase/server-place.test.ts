import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, inject, it } from "vitest";
import { findPostmaster } from "../../../../../scripts/server/postmaster.ts";
import { eraseServer } from "../../../../../scripts/stack/erase/server-place.ts";
import { ownServers } from "../../server/own-servers.ts";

const ownServer = ownServers();

it("a server that is started again during its erasure keeps running, and nothing is deleted", async () => {
  const own = ownServer({ folder: join(inject("scratch"), "data-home", "servers", randomUUID()) });
  const { pid } = await own.ensure();
  const { home, folder } = own.spec;
  const place = { folder, dataDirectory: own.directory.data };
  const owner = { clone: folder, project: "pgroundwork", stack: "local" };
  await expect(eraseServer({ home, owner, folder, begun: [] }, place)).rejects.toThrow(
    `A server is running on ${own.directory.data} again (pid ${pid}). Nothing was deleted.`,
  );
  expect((await findPostmaster(own.directory.data))?.pid).toBe(pid);
  expect(await readdir(own.directory.data)).toContain("PG_VERSION");
});
