import { randomUUID } from "node:crypto";
import { appendFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { embeddedServer } from "../../../../../../infra/provider/resources/servers/embedded-server.ts";
import { type Properties, unknownValue } from "../../../../../../infra/provider-protocol/values.ts";
import { withClient } from "../../../../../../scripts/connection/client.ts";
import { findPostmaster } from "../../../../../../scripts/server/postmaster.ts";
import { contextOf, type RecordedContext } from "../../../../../unit/infra/provider/call-context.ts";
import { copyClusterOf } from "../../../../initialised-cluster.ts";

const declared = {
  superuserPassword: "a-password-of-the-superuser",
  settings: { shared_buffers: "16MB", max_connections: "20" },
};

interface Made {
  context: RecordedContext;
  id: string;
  inputs: Properties;
  outputs: Properties & { host: string; port: number; pid: number; dataDirectory: string; folder: string };
}

beforeAll(() => {
  vi.stubEnv("XDG_DATA_HOME", join(inject("scratch"), "provider data"));
});
afterAll(() => {
  vi.unstubAllEnvs();
});

let made: Made[] = [];
afterEach(async () => {
  // Deletes in reverse order: the last server that used a data directory owns it.
  const all = made.reverse();
  made = [];
  for (const server of all) {
    await deleteLater(server.context, server);
    await rm(server.outputs.folder, { recursive: true, force: true });
  }
});

const newContext = () => contextOf("EmbeddedServer", `stack-${randomUUID()}`);
// With other inputs than the usual ones, the cluster is made by `initdb`.
async function create(context: RecordedContext, inputs: Properties = declared): Promise<Made> {
  if (inputs === declared) await copyClusterOf(context.urn, declared.superuserPassword);
  const state = await embeddedServer.create(context, inputs, false);
  const server = { ...state, inputs, context } as Made;
  made.push(server);
  return server;
}

async function update(context: RecordedContext, server: Made, news: Properties): Promise<Made> {
  const outputs = await embeddedServer.update(context, server, news, false);
  const updated = { ...server, inputs: news, outputs, context } as Made;
  made.push(updated);
  return updated;
}

const query = (server: Made, sql: string, password = declared.superuserPassword) =>
  withClient(
    {
      host: server.outputs.host,
      port: server.outputs.port,
      database: "postgres",
      user: "postgres",
      password,
      sslmode: "disable",
    },
    async (client) => (await client.query(sql)).rows,
  );

/** Deletes the server like the plugin of a later run, which has not created it itself. */
async function deleteLater(context: RecordedContext, server: Made): Promise<void> {
  vi.resetModules();
  const later = await import("../../../../../../infra/provider/resources/servers/embedded-server.ts");
  await later.embeddedServer.delete(context, server);
}

async function kill(server: Made): Promise<void> {
  process.kill(server.outputs.pid, "SIGKILL");
  await expect.poll(() => findPostmaster(server.outputs.dataDirectory)).toBeUndefined();
}

describe("creation of an embedded server", () => {
  it("makes nothing in a preview, which knows the host, and the port only if it is declared", async () => {
    const context = newContext();
    const preview = await embeddedServer.create(context, declared, true);
    expect(preview.outputs).toEqual({ ...declared, host: "127.0.0.1", folder: preview.id });
    expect((await embeddedServer.create(context, { ...declared, port: 20_001 }, true)).outputs.port).toBe(20_001);
    await expect(stat(preview.id)).rejects.toThrow("ENOENT");
  });

  it("starts a server that then has no changes", async () => {
    const context = newContext();
    const server = await create(context, { ...declared });
    expect(server.outputs).toMatchObject({
      ...declared,
      host: "127.0.0.1",
      folder: server.id,
      dataDirectory: join(server.id, "data"),
      logDirectory: join(server.id, "log"),
      version: expect.stringMatching(/^17\./),
    });
    expect(await query(server, "show max_connections")).toEqual([{ max_connections: "20" }]);
    expect(await embeddedServer.diff(context, server, declared)).toEqual({ changes: [] });
  });

  it("adopts a running server after its state was lost, with port and data, and sets the new password", async () => {
    const context = newContext();
    const server = await create(context);
    await query(server, "create table kept (id int); insert into kept values (7)");
    const again = await create(context, { ...declared, superuserPassword: "of-the-new-state" });
    expect(again.outputs.port).toBe(server.outputs.port);
    expect(await query(again, "select id from kept", "of-the-new-state")).toEqual([{ id: 7 }]);
  });

  it("adopts a stopped server after its state was lost", async () => {
    const context = newContext();
    const server = await create(context);
    await query(server, "create table kept (id int); insert into kept values (7)");
    await deleteLater(context, server);
    const again = await create(context, { ...declared, superuserPassword: "of-the-new-state" });
    expect(again.outputs.port).toBe(server.outputs.port);
    expect(await query(again, "select id from kept", "of-the-new-state")).toEqual([{ id: 7 }]);
  });

  it("uses a declared data directory, and keeps the log in the server's folder", async () => {
    const context = newContext();
    const dataDirectory = join(inject("scratch"), `data of ${randomUUID()}`);
    const server = await create(context, { ...declared, dataDirectory });
    expect(server.outputs).toMatchObject({ dataDirectory, logDirectory: join(server.id, "log") });
    expect(await readFile(join(dataDirectory, "PG_VERSION"), "utf8")).toBe("17\n");
    await deleteLater(context, server);
    await rm(dataDirectory, { recursive: true });
  });
});

describe("a server that was killed", () => {
  it("shows as a changed pid and starts again with its port and data", async () => {
    const context = newContext();
    const server = await create(context);
    await query(server, "create table kept (id int); insert into kept values (7)");
    await kill(server);
    expect(await embeddedServer.diff(context, server, declared)).toEqual({
      changes: [{ path: "pid", kind: "update", input: false }],
    });
    const preview = await embeddedServer.update(context, server, declared, true);
    expect(preview).toMatchObject({ host: "127.0.0.1", port: server.outputs.port, pid: unknownValue });
    const { pid } = server.outputs;
    const back = await update(context, server, declared);
    expect(back.outputs.port).toBe(server.outputs.port);
    expect(back.outputs.pid).not.toBe(pid);
    expect(await query(back, "select id from kept")).toEqual([{ id: 7 }]);
    expect(await embeddedServer.diff(context, back, declared)).toEqual({ changes: [] });
  });

  it("is not running after a refresh, which fails if its data directory is gone", async () => {
    const context = newContext();
    const server = await create(context);
    expect((await embeddedServer.read(context, server))?.outputs).toEqual(server.outputs);
    await kill(server);
    expect((await embeddedServer.read(context, server))?.outputs).toEqual({ ...server.outputs, pid: 0 });
    await rm(server.outputs.dataDirectory, { recursive: true });
    await expect(embeddedServer.read(context, server)).rejects.toMatchObject({
      message: `The data directory ${server.outputs.dataDirectory} of this server is gone.`,
      hint: "If it is on a disk that is not mounted, mount the disk. To start with an empty server, run `npm run pgw -- destroy`, then `up`.",
    });
    await writeFile(server.outputs.dataDirectory, "not a folder");
    await expect(embeddedServer.read(context, server)).rejects.toThrow(
      `Cannot read the data directory ${server.outputs.dataDirectory}: ENOTDIR`,
    );
    await rm(server.outputs.dataDirectory);
  });
});

describe("the settings of a server", () => {
  it("are corrected after they were changed on disk", async () => {
    const context = newContext();
    const server = await create(context);
    await appendFile(join(server.outputs.dataDirectory, "pgroundwork.conf"), "max_connections = '99'\n");
    expect(await embeddedServer.diff(context, server, declared)).toEqual({
      changes: [{ path: "settings.max_connections", kind: "update", input: false }],
    });
    const mended = await update(context, server, declared);
    expect(await query(mended, "show max_connections")).toEqual([{ max_connections: "20" }]);
    expect(await embeddedServer.diff(context, mended, declared)).toEqual({ changes: [] });
  });

  it("have one change for each setting that the program changes", async () => {
    const context = newContext();
    const server = await create(context);
    const news = { ...declared, settings: { ...declared.settings, work_mem: "9MB" } };
    expect(await embeddedServer.diff(context, server, news)).toEqual({
      changes: [{ path: "settings.work_mem", kind: "add" }],
    });
    const changed = await update(context, server, news);
    expect(await query(changed, "show work_mem")).toEqual([{ work_mem: "9MB" }]);
    expect(await embeddedServer.diff(context, changed, news)).toEqual({ changes: [] });
  });

  it("are refused in preview and up if PostgreSQL refuses them, and nothing happens", async () => {
    const context = newContext();
    const server = await create(context);
    const news = { ...declared, settings: { ...declared.settings, work_mem: "lots" } };
    for (const preview of [true, false]) {
      await expect(embeddedServer.update(context, server, news, preview)).rejects.toMatchObject({
        message:
          "PostgreSQL refuses a setting: work_mem is 'lots'; expected from 64kB to 2147483647kB, in B, kB, MB, GB, TB; the unit of a plain number is kB",
        hint: "Correct pgroundwork:postgresql (pulumi config). The server was not changed.",
      });
    }
    expect(await findPostmaster(server.outputs.dataDirectory)).toMatchObject({ pid: server.outputs.pid });
    expect(await embeddedServer.diff(context, server, declared)).toEqual({ changes: [] });
  });

  it("are checked in a preview only if they changed and are known, and a cluster exists", async () => {
    const context = newContext();
    const server = await create(context);
    const wrong = { ...declared, settings: { work_mem: "lots" } };
    const previewed = { port: server.outputs.port, pid: unknownValue };
    // Like the state of an older version that accepted the setting: unchanged settings are not checked again.
    const same = { ...server, inputs: wrong };
    expect(await embeddedServer.update(context, same, wrong, true)).toMatchObject(previewed);
    const unknown = { ...declared, settings: { work_mem: unknownValue } };
    expect(await embeddedServer.update(context, server, unknown, true)).toMatchObject(previewed);
    const elsewhere = { ...wrong, dataDirectory: unknownValue };
    expect(await embeddedServer.update(context, server, elsewhere, true)).toMatchObject(previewed);
    await deleteLater(context, server);
    await rm(server.outputs.dataDirectory, { recursive: true });
    const moved = { ...wrong, dataDirectory: join(server.outputs.folder, "anew") };
    expect(await embeddedServer.update(context, server, moved, true)).toMatchObject(previewed);
  });

  it("do not fail a preview in which the password is unknown", async () => {
    const context = newContext();
    const server = await create(context);
    const news = { ...declared, superuserPassword: unknownValue };
    expect(await embeddedServer.diff(context, server, news)).toEqual({
      changes: [{ path: "superuserPassword", kind: "update" }],
    });
    expect(await embeddedServer.update(context, server, news, true)).toMatchObject({ port: server.outputs.port });
  });
});

describe("the data directory of a server", () => {
  it("is refused in preview and up if it changes but the data was not moved, and nothing happens", async () => {
    const context = newContext();
    const server = await create(context);
    const wanted = join(server.outputs.folder, "elsewhere");
    const news = { ...declared, dataDirectory: wanted };
    expect(await embeddedServer.diff(context, server, news)).toEqual({
      changes: [
        { path: "dataDirectory", kind: "add" },
        { path: "pid", kind: "update", input: false },
      ],
    });
    const refusal = {
      message: `The data is in ${server.outputs.dataDirectory}, but the data directory is now set to ${wanted}, which has no data.`,
      hint: `Stop the server (npm run down), move it (mv '${server.outputs.dataDirectory}' '${wanted}'), then run \`up\` again.`,
    };
    for (const preview of [true, false]) {
      await expect(embeddedServer.update(context, server, news, preview)).rejects.toMatchObject(refusal);
    }
    expect(await findPostmaster(server.outputs.dataDirectory)).toMatchObject({ pid: server.outputs.pid });
  });

  it("is used at its new location after it was moved", async () => {
    const context = newContext();
    const server = await create(context);
    await query(server, "create table kept (id int); insert into kept values (7)");
    await deleteLater(context, server);
    const wanted = join(server.outputs.folder, "elsewhere");
    await rename(server.outputs.dataDirectory, wanted);
    const news = { ...declared, dataDirectory: wanted };
    const moved = await update(context, server, news);
    expect(moved.outputs).toMatchObject({ dataDirectory: wanted, port: server.outputs.port });
    expect(await query(moved, "select id from kept")).toEqual([{ id: 7 }]);
    expect(await embeddedServer.diff(context, moved, news)).toEqual({ changes: [] });
  });

  it("makes the old server stop if it changes to that of another cluster", async () => {
    const context = newContext();
    const server = await create(context);
    const other = await create(newContext());
    await deleteLater(other.context, other);
    const changed = await update(context, server, { ...declared, dataDirectory: other.outputs.dataDirectory });
    expect(await findPostmaster(server.outputs.dataDirectory)).toBeUndefined();
    expect(await findPostmaster(other.outputs.dataDirectory)).toMatchObject({ pid: changed.outputs.pid });
  });
});

describe("an unusable data directory", () => {
  it("is refused before the server is stopped if it has files that are not a cluster", async () => {
    const context = newContext();
    const server = await create(context);
    const stuff = join(server.outputs.folder, "stuff");
    await mkdir(stuff);
    await writeFile(join(stuff, "thesis.txt"), "");
    for (const preview of [true, false]) {
      await expect(
        embeddedServer.update(context, server, { ...declared, dataDirectory: stuff }, preview),
      ).rejects.toThrow(`The data directory ${stuff} contains files, but no PostgreSQL cluster (no PG_VERSION).`);
    }
    expect(await findPostmaster(server.outputs.dataDirectory)).toMatchObject({ pid: server.outputs.pid });
  });

  it("is refused before the server is stopped if another stack's server runs on it", async () => {
    const context = newContext();
    const server = await create(context);
    const other = await create(newContext());
    const news = { ...declared, dataDirectory: other.outputs.dataDirectory };
    for (const preview of [true, false]) {
      const refusal = `The data directory ${other.outputs.dataDirectory} is in use by the server of stack `;
      await expect(embeddedServer.update(context, server, news, preview)).rejects.toThrow(refusal);
      if (preview) await expect(embeddedServer.create(newContext(), news, preview)).rejects.toThrow(refusal);
    }
    for (const { outputs } of [server, other])
      expect(await findPostmaster(outputs.dataDirectory)).toMatchObject({ pid: outputs.pid });
  });
});

describe("a server that lost its state, with its data in another location", () => {
  it("is adopted from its location, whatever the setting says, and never replaced by an empty one", async () => {
    const context = newContext();
    const dataDirectory = join(inject("scratch"), `data of ${randomUUID()}`);
    const server = await create(context, { ...declared, dataDirectory });
    const again = await create(context);
    expect(again.outputs).toMatchObject({ dataDirectory, port: server.outputs.port, pid: server.outputs.pid });
    expect(context.lines).toEqual([`info: Its data is in ${dataDirectory}, as recorded in ${server.outputs.folder}.`]);

    const elsewhere = { ...declared, dataDirectory: `${dataDirectory}.else` };
    await deleteLater(context, again);
    const record = await readFile(join(server.outputs.folder, "server.json"), "utf8");
    for (const preview of [true, false]) {
      await expect(embeddedServer.create(context, elsewhere, preview)).rejects.toThrow(
        `The data is in ${dataDirectory}, but the data directory is now set to ${dataDirectory}.else, which has no data.`,
      );
      await rename(dataDirectory, `${dataDirectory}.unmounted`);
      await expect(embeddedServer.create(context, declared, preview)).rejects.toThrow(
        `The data of this server was in ${dataDirectory}, but is no longer there.`,
      );
      await rename(`${dataDirectory}.unmounted`, dataDirectory);
    }
    expect(await readFile(join(server.outputs.folder, "server.json"), "utf8")).toBe(record);
    expect(await readdir(server.outputs.folder)).not.toContain("data");
    await rm(dataDirectory, { recursive: true });
  });

  it("is adopted from its former folder after the project directory was moved", async () => {
    const context = newContext();
    const server = await create(context);
    await deleteLater(context, server);
    const { folder, port } = server.outputs;
    const former = `${folder}-former`;
    await rename(folder, former);
    const text = await readFile(join(former, "server.json"), "utf8");
    await writeFile(join(former, "server.json"), text.replaceAll(folder, former));
    const again = await create(context, { ...declared });
    expect(again.outputs).toMatchObject({ folder, dataDirectory: join(former, "data"), port });
    await deleteLater(context, again);
    await rm(former, { recursive: true });
  });
});

describe("a data directory that another stack has adopted", () => {
  it("is not stopped by its former owner, which can adopt it again later", async () => {
    const [former, latter] = [newContext(), newContext()];
    const server = await create(former);
    await deleteLater(former, server);
    const { dataDirectory } = server.outputs;
    const other = await create(latter, { ...declared, dataDirectory });
    await expect(deleteLater(former, server)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^The data directory .* is in use by the server of stack .* It was not stopped\.$/,
      ),
      exitCode: 3,
    });
    expect(await findPostmaster(dataDirectory)).toMatchObject({ pid: other.outputs.pid });

    await deleteLater(latter, other);
    await create(former);
    // The stack's record still names the former data directory, which now belongs to another stack.
    const created = await create(latter);
    expect(created.outputs.dataDirectory).toBe(join(other.outputs.folder, "data"));
  });
});

describe("deletion of an embedded server", () => {
  it("stops it, keeps its data and reports where", async () => {
    const context = newContext();
    const server = await create(context);
    await deleteLater(context, server);
    expect(await findPostmaster(server.outputs.dataDirectory)).toBeUndefined();
    expect(await readFile(join(server.outputs.dataDirectory, "PG_VERSION"), "utf8")).toBe("17\n");
    expect(context.lines).toEqual([
      `info: The server is stopped. Its data is kept in ${server.outputs.dataDirectory}.`,
    ]);
    await deleteLater(context, server);
  });
});
