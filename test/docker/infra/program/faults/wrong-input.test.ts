import { createServer } from "node:net";
import { beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../../../support/free-port.ts";
import { inEngine } from "../../../in-engine.ts";
import { type DockerStack, makeDockerStack } from "../../../stack.ts";
import { expectWhole } from "../../../whole.ts";

const databaseFile = "migrations/shop/database.json";
const nowhere = "unix:///nowhere/docker.sock";

describe("a first up with wrong input", () => {
  let shop: DockerStack;

  beforeAll(async () => {
    shop = await makeDockerStack();
  });

  /** Runs an `up` that fails and returns its stderr. Expects exactly one error besides the engine's own. */
  async function refused(settings: Record<string, unknown>): Promise<string> {
    await shop.configure(settings);
    const { code, stdout, stderr } = await shop.pgw("up");
    expect([code, stdout], stderr).toEqual([1, ""]);
    expect(stderr).not.toMatch(/^ +at |bug in pgroundwork/m);
    const errors = stderr.match(/^error: .*/gm) ?? [];
    expect(errors.filter((line) => line !== `error: up of stack "${shop.stack}" failed.`)).toHaveLength(1);
    return stderr;
  }

  it.each([
    {
      what: "an invalid image name",
      settings: { image: "Not An Image" },
      said: /Setting 'image': expected an image's name, with registry and digest as needed, got 'Not An Image'/,
    },
    {
      what: "an image that no registry has",
      settings: { image: "registry.invalid/nothing:1" },
      said: /The image registry\.invalid\/nothing:1 is not in the Docker engine, and it could not be pulled: .*\n {2}Correct pgroundwork:image\./,
    },
    {
      what: "shared_buffers that do not fit into the memory",
      settings: { memory: 256, postgresql: { shared_buffers: "1GB" } },
      said: /The server does not fit into its container: shared_buffers is 1GB, but may be at most 192 MB of the container's 256 MB of memory\.\n {2}Increase pgroundwork:memory, or reduce shared_buffers in pgroundwork:postgresql\./,
    },
    {
      what: "less memory than any server needs",
      settings: { memory: 100 },
      said: /Setting 'memory': .*256/,
    },
    {
      what: "a value that PostgreSQL does not accept",
      settings: { postgresql: { work_mem: "7 apples" } },
      said: /PostgreSQL refuses a setting: invalid value for parameter "work_mem": "7 apples"/,
    },
    {
      what: "an engine that does not listen",
      settings: { dockerHost: "tcp://127.0.0.1:1" },
      said: /No Docker engine answers on tcp:\/\/127\.0\.0\.1:1: ECONNREFUSED\.\n {2}Start the Docker engine, or correct pgroundwork:dockerHost/,
    },
    {
      what: "a machine that ssh cannot reach",
      settings: { dockerHost: "ssh://nobody@127.0.0.1:1" },
      said: /No Docker engine answers on ssh:\/\/nobody@127\.0\.0\.1:1: .*Connection refused\.\n {2}Start the Docker engine, or correct pgroundwork:dockerHost/,
    },
    {
      what: "a socket that does not exist",
      settings: { dockerHost: nowhere },
      said: /No Docker engine answers on unix:\/\/\/nowhere\/docker\.sock: ENOENT\.\n {2}Start the Docker engine, or correct pgroundwork:dockerHost/,
    },
  ])("reports $what in one message, and creates nothing", async ({ settings, said }) => {
    expect(await refused(settings)).toMatch(said);
    expect(await inEngine(shop.prefix)).toEqual([]);
  });

  it("reports an extension that the image lacks in one message, and creates nothing", async () => {
    const seedSets = ["reference", "dev"];
    await shop.clone.write(databaseFile, JSON.stringify({ extensions: ["nonsense"], seedSets }));
    expect(await refused({})).toMatch(
      /The docker server does not have these extensions:\n- shop needs nonsense\n {2}Its image has /,
    );
    expect(await inEngine(shop.prefix)).toEqual([]);
    await shop.clone.write(databaseFile, JSON.stringify({ extensions: ["citext"], seedSets }));
  });

  it("reports a port that another program has, creates nothing, and completes once it is free", async () => {
    const port = await freePort();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
    expect(await refused({ port })).toContain(`Port ${port} on 127.0.0.1 is in use by another program.`);
    expect(await inEngine(shop.prefix)).toEqual([]);
    await new Promise((resolve) => other.close(resolve));
    await shop.succeed("up");
    await expectWhole(shop);
  });

  it("names the container of another stack that has the port", async () => {
    const neighbour = await makeDockerStack();
    const { stdout } = await shop.succeed("url", "--role", "app");
    await neighbour.configure({ port: Number(new URL(stdout.trim()).port) });
    for (const command of ["preview", "up"])
      expect((await neighbour.pgw(command)).stderr).toContain(`is in use by the container ${shop.prefix}-postgres.`);
    expect(await inEngine(neighbour.prefix)).toEqual([]);
    expect(await shop.query("readonly", "select count(*)::int from product")).toEqual([{ count: 2 }]);
  });

  it("reports an address that the machine does not have, and creates nothing", async () => {
    const elsewhere = await makeDockerStack();
    await elsewhere.configure({ port: 5433, bindAddress: "192.0.2.1" });
    expect((await elsewhere.pgw("up")).stderr).toMatch(/Cannot open port 5433 on 192\.0\.2\.1: .*EADDRNOTAVAIL/);
    expect(await inEngine(elsewhere.prefix)).toEqual([]);
  });

  it("keeps its port after the setting is removed", async () => {
    const { stdout: before } = await shop.succeed("url", "--role", "app");
    await shop.configure({ port: Number(new URL(before.trim()).port) });
    await shop.succeed("up");
    await shop.configure();
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
    expect((await shop.succeed("url", "--role", "app")).stdout).toBe(before);
  });
});
