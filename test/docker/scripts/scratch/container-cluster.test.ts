import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { type Connection, inDatabase } from "../../../../scripts/connection/connection.ts";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { runInContainer } from "../../../../scripts/docker/run-in-container.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { planMigrations } from "../../../../scripts/migrate/plan/plan.ts";
import { readSchemaDrift } from "../../../../scripts/migrate/schema-drift.ts";
import { withContainerCluster } from "../../../../scripts/scratch/container-cluster.ts";
import { scratchImage } from "../../../../scripts/scratch/scratch-image.ts";
import { createDatabase } from "../../../databases.ts";
import { committedFolderOf, type TestFolder } from "../../../unit/scripts/migrate/committed-folder.ts";
import { postgresImage } from "../../postgres-image.ts";

const docker: Docker = dockerClient();
const request = { major: 17, extensions: ["vector"], settings: {}, memoryMb: 32 };
let owner: string;
let folder: TestFolder | undefined;

/** Lists the roles of the containers of this test's scratch clusters. */
const containers = async (): Promise<string[]> => {
  const found = await docker.listContainers({ all: true, filters: { label: [`pgroundwork.owner=${owner}`] } });
  return found.map(({ Labels }) => `${Labels["pgroundwork.role"]}`);
};
const place = () => ({ owner: { project: "test", stack: "test", owner } });

beforeEach(() => {
  owner = randomBytes(6).toString("hex");
});
afterEach(async () => {
  await folder?.remove();
  folder = undefined;
});

describe("a scratch cluster in a container", () => {
  it("has a read-only root, no capabilities, and limits, and leaves no volume", async () => {
    let volumes: string[] = [];
    await withContainerCluster(request, place(), async () => {
      const [found] = await docker.listContainers({ filters: { label: [`pgroundwork.owner=${owner}`] } });
      const { Config, HostConfig, Mounts } = await docker.getContainer(found?.Id ?? "").inspect();
      expect(Config.User).toBe("999:999");
      expect(HostConfig).toMatchObject({
        ...{ NetworkMode: "none", ReadonlyRootfs: true, CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges"] },
        ...{ PidsLimit: 512, CpuShares: 512, Memory: 2 ** 30, MemorySwap: 2 ** 30 },
      });
      const { stderr } = await runInContainer(docker, found?.Id ?? "", { command: ["touch", "/usr/x", "/tmp/x"] });
      expect(stderr.trim()).toBe("touch: cannot touch '/usr/x': Read-only file system");
      volumes = Mounts.map(({ Name }) => String(Name));
      expect(Mounts.map(({ Destination }) => Destination)).toEqual(["/tmp"]);
    });
    const { Volumes: left } = await docker.listVolumes({ filters: { name: volumes } });
    expect([volumes.length, left ?? []]).toEqual([1, []]);
  });

  it("runs the image of the kit, whose layers a stack's image has, too", async () => {
    // Docker finds a layer again by its instruction, which has the hash of the copied files. The layers themselves
    // differ if both images were built for the first time at the same time.
    const instructionsOf = async (image: string) => {
      const layers = (await docker.getImage(image).history()) as { CreatedBy: string }[];
      return layers.map(({ CreatedBy }) => CreatedBy);
    };
    const image = await scratchImage(docker, { imageOf: undefined, extensions: [] });
    expect(await instructionsOf(image)).toEqual(await instructionsOf(await postgresImage()));
  });

  it("has the image's extensions and the scratch label, uses no network, and is removed afterwards", async () => {
    await withContainerCluster(request, place(), async ({ superuser, extensions, major }) => {
      expect(await containers()).toEqual(["scratch"]);
      expect([major, extensions.has("vector")]).toEqual([17, true]);
      await withClient(superuser, async (client) => {
        const long = "x".repeat(1_000_000);
        const { rows } = await client.query("select md5($1) = md5(repeat('x', 1000000)) as same, $1::text as text", [
          long,
        ]);
        expect([rows[0].same, rows[0].text.length]).toEqual([true, 1_000_000]);
      });
    });
    expect(await containers()).toEqual([]);
  });

  it("tries extensions that the embedded binaries lack, but nothing that reaches other servers", async () => {
    // The live server is a container, too, because it needs the extension.
    await withContainerCluster(request, place(), async ({ superuser }) => {
      await withClient(superuser, (client) => client.query("create role postgres superuser login"));
      const live: Connection = { ...superuser, user: "postgres" };
      await createDatabase(live, "shop", "unused");
      folder = await committedFolderOf([
        { name: "items", body: "create extension vector; create table items (id int, place vector(3));" },
        {
          name: "near",
          body: "create index on items using hnsw (place vector_l2_ops); copy (select 1) to program 'cat';",
        },
        { name: "away", body: "create extension dblink; select dblink_connect('host=127.0.0.1 user=postgres');" },
      ]);
      const connection = inDatabase(live, "shop");
      await applyMigrations({ connection, folder: folder.folder, to: "1" });
      const options = { connection, admin: live, folder: folder.folder, docker: place() };
      const { files, failure, warnings } = await planMigrations(options);
      expect([failure, warnings]).toEqual([null, []]);
      expect(files.map(({ trial, notTried }) => [trial, notTried])).toEqual([
        ["passed", null],
        ["not tried", expect.stringMatching(/^000003-away\.sql: it connects to another server/)],
      ]);
      expect((await readSchemaDrift(options)).differences).toEqual([]);
    });
    expect(await containers()).toEqual([]);
  });

  it("is removed when its process ends, even if that process is killed", async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "container-process.ts"), owner], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    expect(await containers()).toEqual(["scratch"]);
    child.kill("SIGKILL");
    await once(child, "close");
    for (let look = 0; look < 100 && (await containers()).length > 0; look++) await sleep(200);
    expect(await containers()).toEqual([]);
  });
});
