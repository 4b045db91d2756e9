import { chmod, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createArchive } from "../../../../../scripts/backup/physical/create.ts";
import { withClient } from "../../../../../scripts/connection/client.ts";
import { type KilledInPlace, killedInPlace } from "../../../../embedded/scripts/backup/physical/killed-in-place.ts";
import { startServer, type TestServer } from "../../../../embedded/server.ts";
import { soakFirst, soakRuns } from "../../../random.ts";

describe("an in-place restore of an embedded server that is killed after any step", () => {
  let server: TestServer;
  let folder: string;
  let killed: KilledInPlace;

  beforeAll(async () => {
    server = await startServer();
    folder = await mkdtemp(join(inject("scratch"), "killed-in-place-"));
    // PostgreSQL's account enters it.
    await chmod(folder, 0o755);
    await server.createDatabase("shop");
    const query = (sql: string) => withClient(server.connection("shop"), (client) => client.query(sql));
    await query("create table item (id int primary key); insert into item select generate_series(1, 1000)");
    const archives = join(folder, "archives");
    await createArchive(
      { connection: server.connection(), name: "test" },
      {
        ...{ folder: archives, compressed: true, recipients: [], signal: new AbortController().signal },
        ...{ onStep: () => undefined, restoreCommand: (id: string) => id },
      },
    );
    await query("insert into item values (1001)");
    const directory = { data: server.dataDirectory, log: server.logDirectory };
    const place = { home: join(inject("scratch"), "data-home"), directory };
    killed = killedInPlace(server, { place, archives, folder });
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const killedAfter = async (steps: string[], work: (step: number, name: string) => Promise<void>) => {
    const last = Math.min(steps.length, soakFirst() + soakRuns(steps.length));
    for (let step = soakFirst() + 1; step <= last; step += 1) {
      const name = `killed after step ${step} of ${steps.length} (${steps[step - 1]})`;
      process.stderr.write(`${name}\n`);
      await work(step, name);
    }
  };

  it("is completed or reverted by the next command, and no row of the former cluster is missing", async () => {
    const steps = await killed.run("restore");
    await killed.converge("a restore that is not killed");
    expect(steps.length).toBeGreaterThan(10);
    await killedAfter(steps, async (step, name) => {
      await killed.run("restore", step);
      await killed.converge(name);
    });
  });

  it("keeps its former cluster if its undo is killed after any step", async () => {
    await killed.run("restore");
    const steps = await killed.run("undo");
    await killed.converge("an undo that is not killed");
    await killedAfter(steps, async (step, name) => {
      await killed.run("restore");
      await killed.run("undo", step);
      await killed.converge(`undo ${name}`);
    });
  });
});
