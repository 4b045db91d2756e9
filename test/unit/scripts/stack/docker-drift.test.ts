import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EngineInstallation } from "../../../../scripts/pulumi/ensure-engine.ts";
import { hasDriftedInDocker } from "../../../../scripts/stack/docker-drift.ts";

let root: string;
let engine: Server;
/** Containers that the Docker engine lists. */
let containers: object[];
let volumes: object[];

const labels = (role: string) => ({ "pgroundwork.role": role, "pgroundwork.owner": "recorded" });
const server = (State = "running") => ({
  Id: "1",
  Labels: labels("postgres"),
  State,
  NetworkSettings: { Networks: { shop: {} } },
});
const data = { Name: "shop-dev-data", Labels: labels("data") };
const serverResource = { urn: "u::server-postgres", type: "docker:index/container:Container", id: "1" };
const dataResource = { urn: "u::server-data", type: "docker:index/volume:Volume", outputs: { name: "shop-dev-data" } };

async function writeState(...resources: object[]): Promise<void> {
  const folder = join(root, "states/.pulumi/stacks/shop");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "dev.json"), JSON.stringify({ checkpoint: { latest: { resources } } }));
}

const look = () => {
  const installation = {
    environment: { PULUMI_BACKEND_URL: `file://${root}/states` },
  } as unknown as EngineInstallation;
  return hasDriftedInDocker({ engine: installation, root, name: "dev" }, `unix://${root}/docker.sock`);
};

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "pgw-drift-"));
  await writeFile(join(root, "Pulumi.yaml"), "name: shop\n");
  [containers, volumes] = [[], []];
  engine = createServer((request, response) => {
    const answer = request.url?.includes("/volumes") ? { Volumes: volumes } : containers;
    response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
  });
  await new Promise<void>((done) => engine.listen(join(root, "docker.sock"), done));
});
afterEach(async () => {
  engine.close();
  await rm(root, { recursive: true, force: true });
});

describe("drift of a stack in its Docker engine", () => {
  it("is false without a state", async () => {
    expect(await look()).toBe(false);
    await writeState();
    expect(await look()).toBe(false);
  });

  it("is detected by the ids in the state, wherever the project directory is now", async () => {
    await writeState(serverResource, dataResource);
    [containers, volumes] = [[server()], [data]];
    expect(await look()).toBe(false);
    containers = [server("exited")];
    expect(await look()).toBe(true);
  });

  it("is an error if the data volume is missing, so that no empty one is created", async () => {
    await writeState(serverResource, dataResource);
    await expect(look()).rejects.toMatchObject({
      message: `The Docker engine of unix://${root}/docker.sock does not have the volume shop-dev-data with the data of stack "dev".`,
      hint: "If the data is on another engine, correct pgroundwork:dockerHost (or DOCKER_HOST). To start with empty databases: npm run pgw -- refresh --stack dev, then `up`.",
    });
    // The state after a refresh.
    await writeState();
    expect(await look()).toBe(false);
  });
});
