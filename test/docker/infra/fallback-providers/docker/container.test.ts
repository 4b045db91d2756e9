import { describe, expect, it } from "vitest";
import { runInContainer } from "../../../../../scripts/docker/run-in-container.ts";
import { freePort } from "../../../../support/free-port.ts";
import { dockerObjects } from "../../../docker-objects.ts";
import { image, type Made, messageOf, officialOutputs, sharedDockerFallbackProvider } from "./fallback-provider.ts";

const objects = dockerObjects();
const { docker } = objects;
const plugin = sharedDockerFallbackProvider();

const sleeping = { image, command: ["sleep", "600"], init: true };

async function refreshed(made: Made): Promise<Made> {
  const read = await plugin.read(made);
  if (read === undefined) throw new Error(`${made.name} is gone`);
  return read;
}

/** Returns Docker's inspection of a container. */
const inspected = (made: Made) => docker.getContainer(made.id).inspect();

const shell = (made: Made, command: string) =>
  runInContainer(docker, made.id, { command: ["sh", "-c", command] }).then(({ stdout }) => stdout.trim());

describe("a container", () => {
  it("has the outputs of the official plugin: every key, in the same shape", async () => {
    const shape = await officialOutputs("probe-ctr2");
    const name = objects.name("official");
    const made = await plugin.create("Container", "c", { name, image, command: ["sleep", "300"], envs: ["TOKEN=x"] });
    expect(Object.keys(made.outputs).sort()).toEqual(Object.keys(shape).sort());
    const own = { id: made.id, name, image, hostname: made.id.slice(0, 12), envs: ["TOKEN=x"] };
    expect(made.outputs).toEqual({
      ...shape,
      ...own,
      networkDatas: [expect.objectContaining({ networkName: "bridge" })],
    });
    const [shapes] = [shape.networkDatas as object[]];
    expect(Object.keys((made.outputs.networkDatas as object[])[0] ?? {}).sort()).toEqual(
      Object.keys(shapes[0] ?? {}).sort(),
    );
    await plugin.delete(made);
  });

  it("shows no change with every input, also after a refresh, and is as declared", async () => {
    const network = await plugin.create("Network", "n", { name: objects.name("net") });
    const volume = await plugin.create("Volume", "v", { name: objects.name("vol") });
    const other = await plugin.create("Volume", "w", { name: objects.name("mount") });
    const port = await freePort();
    const inputs = {
      ...sleeping,
      name: objects.name("full"),
      hostname: "db",
      domainname: "example",
      user: "0:0",
      workingDir: "/srv",
      entrypoints: ["env"],
      command: ["sleep", "600"],
      envs: ["B=2", "A=1"],
      labels: [{ label: "com.example", value: "x" }],
      restart: "on-failure",
      maxRetryCount: 3,
      memory: 64,
      memorySwap: 64,
      cpuShares: 512,
      cpuSet: "0",
      cpus: "0.50",
      shmSize: 32,
      stopSignal: "SIGINT",
      stopTimeout: 7,
      destroyGraceSeconds: 5,
      ports: [
        { internal: 8080, external: port, ip: "127.0.0.1" },
        { internal: 8081, ip: "127.0.0.1" },
        { internal: 8081, ip: "127.0.0.1", protocol: "udp" },
      ],
      networksAdvanced: [{ name: network.outputs.name, aliases: ["web", "www"] }],
      volumes: [{ volumeName: volume.outputs.name, containerPath: "/data" }],
      mounts: [
        { type: "volume", target: "/mnt/data", source: other.outputs.name, readOnly: true },
        { type: "tmpfs", target: "/mnt/scratch", tmpfsOptions: { sizeBytes: 1_048_576, mode: 0o1770 } },
      ],
      tmpfs: { "/run/x": "size=1m" },
      healthcheck: { tests: ["CMD", "true"], interval: "300ms", timeout: "60s", retries: 2 },
      wait: true,
      waitTimeout: 200,
      logDriver: "json-file",
      logOpts: { "max-size": "1m" },
      uploads: [
        { file: "/etc/deep/er/plain", content: "plain ✓" },
        {
          file: "/etc/key",
          contentBase64: Buffer.from([0, 255]).toString("base64"),
          permissions: "0600",
          owner: "33",
          group: "34",
        },
        { file: "/data/run.sh", content: "#!/bin/sh\n", executable: true },
      ],
      capabilities: { adds: ["NET_ADMIN"], drops: ["CAP_CHOWN", "MKNOD"] },
      securityOpts: ["no-new-privileges"],
      ulimits: [{ name: "nofile", soft: 1024, hard: 2048 }],
      groupAdds: ["42"],
      dns: ["192.0.2.53"],
      hosts: [
        { host: "upstream", ip: "192.0.2.7" },
        { host: "six", ip: "2001:db8::1" },
      ],
      sysctls: { "net.ipv4.ip_unprivileged_port_start": "0" },
      ipcMode: "private",
      attach: false,
      logs: false,
    };
    const made = await plugin.create("Container", "full", inputs);
    expect(await plugin.diff(made)).toEqual([]);
    const again = await refreshed(made);
    expect(again.outputs).toEqual(made.outputs);
    expect(again.inputs).toEqual(made.inputs);
    expect(await plugin.diff(again)).toEqual([]);

    expect(made.outputs).toMatchObject({ memory: 64, memorySwap: 64, cpus: "0.50", shmSize: 32, entrypoints: ["env"] });
    const ports = made.outputs.ports as { internal: number; external: number }[];
    expect(ports.map(({ internal }) => internal)).toEqual([8080, 8081, 8081]);
    expect(ports[0]?.external).toBe(port);
    expect(ports[1]?.external).toBeGreaterThan(1024);
    expect(made.outputs.networkDatas).toMatchObject([
      { networkName: network.outputs.name, ipPrefixLength: expect.any(Number) },
    ]);
    expect(
      await shell(made, "hostname; pwd; cat /etc/deep/er/plain; echo; stat -c '%a %u %g' /etc/deep/er/plain"),
    ).toBe("db\n/srv\nplain ✓\n644 0 0");
    expect(await shell(made, "stat -c '%a %u %g %s' /etc/key /data/run.sh")).toBe("600 33 34 2\n744 0 0 10");
    expect(await shell(made, "touch /mnt/data/x 2>&1; grep -c upstream /etc/hosts")).toMatch(/Read-only.*\n1$/);
    // A command in a container can get the hard limit instead: the engine's runtime raises its own.
    const { HostConfig } = await inspected(made);
    expect(HostConfig.Ulimits).toEqual([{ Name: "nofile", Soft: 1024, Hard: 2048 }]);
    expect((await inspected(made)).State.Health?.Status).toBe("healthy");

    await plugin.delete(made);
    await expect(inspected(made)).rejects.toThrow("No such container");
    for (const part of [network, volume, other]) await plugin.delete(part);
  });

  it("is updated in place where the engine can, and stays the same container", async () => {
    const inputs = { ...sleeping, name: objects.name("place"), memory: 64, memorySwap: 64 };
    const made = await plugin.create("Container", "c", inputs);
    const news = {
      ...inputs,
      restart: "on-failure",
      maxRetryCount: 2,
      memory: 128,
      memorySwap: 160,
      cpuShares: 256,
      cpuSet: "0",
    };
    expect((await plugin.diff(made, news)).join()).not.toContain("!");
    const updated = await plugin.update(made, news);
    expect(await plugin.diff(await refreshed(updated), news)).toEqual([]);
    const { HostConfig, State } = await inspected(made);
    expect(State.Running).toBe(true);
    expect(HostConfig).toMatchObject({
      Memory: 128 * 2 ** 20,
      MemorySwap: 160 * 2 ** 20,
      CpuShares: 256,
      CpusetCpus: "0",
    });
    expect(HostConfig.RestartPolicy).toEqual({ Name: "on-failure", MaximumRetryCount: 2 });
    const smaller = await plugin.update(updated, { ...news, memory: 48, memorySwap: 48 });
    expect(smaller.outputs).toMatchObject({ memory: 48, memorySwap: 48 });
    await plugin.delete(made);
  });

  it("shows no change with memory and without memorySwap", async () => {
    const made = await plugin.create("Container", "c", { ...sleeping, name: objects.name("memory"), memory: 64 });
    const read = await refreshed(made);
    expect(read.outputs.memorySwap).toBe(0);
    expect(await plugin.diff(read)).toEqual([]);
    await plugin.delete(made);
  });

  it("is replaced after a stop, unchanged after another start, and gone after a removal", async () => {
    const made = await plugin.create("Container", "c", {
      ...sleeping,
      name: objects.name("stopped"),
      ports: [{ internal: 80 }],
    });
    await docker.getContainer(made.id).stop({ t: 0 });
    const stopped = await refreshed(made);
    expect(stopped.outputs.mustRun).toBe(false);
    expect(await plugin.diff(stopped)).toEqual(["mustRun!"]);
    await docker.getContainer(made.id).start();
    expect(await plugin.diff(await refreshed(stopped))).toEqual([]);
    await docker.getContainer(made.id).remove({ force: true });
    expect(await plugin.read(made)).toBeUndefined();
    await plugin.delete(made);
  });

  it("is replaced after it lost its network", async () => {
    const network = await plugin.create("Network", "n", { name: objects.name("lost") });
    const inputs = {
      ...sleeping,
      name: objects.name("detached"),
      networksAdvanced: [{ name: network.outputs.name }],
    };
    const made = await plugin.create("Container", "c", inputs);
    await docker.getNetwork(network.id).disconnect({ Container: made.id });
    expect(await plugin.diff(await refreshed(made), inputs)).toEqual(["networksAdvanced!"]);
    await plugin.delete(made);
    await plugin.delete(network);
  });

  it("is imported by its ID, and shows no change with the same inputs", async () => {
    const name = objects.name("import");
    const made = await plugin.create("Container", "c", { ...sleeping, name });
    const imported = await plugin.read({ ...made, inputs: {}, outputs: {} });
    expect(imported?.outputs).toEqual({ ...made.outputs, waitTimeout: 60 });
    expect(await plugin.diff({ ...made, ...imported }, { ...sleeping, name })).toEqual([]);
    await plugin.delete(made);
  });
});

describe("a container error", () => {
  const failing = (name: string, inputs: Record<string, unknown>) =>
    messageOf(plugin.create("Container", "c", { name, ...sleeping, ...inputs }));
  const isThere = async (name: string) =>
    (await docker.listContainers({ all: true, filters: { name: [name] } })).length > 0;

  it("quotes the last lines of a container that ends at start, without secrets, and leaves nothing", async () => {
    const name = objects.name("ends");
    const command = ["sh", "-c", "(echo starting; echo token is $TOKEN) >&2; exit 3"];
    expect(await failing(name, { command, envs: ["TOKEN=hush-hush-hush"] })).toBe(
      `Container "${name}" exited right after its start with code 3. Last lines of its log:\n    starting\n    token is [secret]\n  Fix the cause, then run \`up\` again.`,
    );
    expect(await isThere(name)).toBe(false);
  });

  it("quotes the last lines of a container that restarts again and again", async () => {
    const name = objects.name("loops");
    const message = await failing(name, { command: ["sh", "-c", "echo boom; exit 4"], restart: "always" });
    expect(message).toMatch(/exited right after its start( with code 4)?\. Last lines of its log:\n {4}boom/);
    expect(await isThere(name)).toBe(false);
  });

  it("quotes the health check of a container that does not become healthy", async () => {
    const name = objects.name("ill");
    const healthcheck = { tests: ["CMD-SHELL", "echo not yet; exit 1"], interval: "200ms", retries: 1 };
    const message = await failing(name, { healthcheck, wait: true, waitTimeout: 10 });
    expect(message).toMatch(
      /did not become healthy within 10 s \(status: unhealthy\)\. Output of its healthcheck: not yet/,
    );
    expect(await isThere(name)).toBe(false);
    expect(await failing(name, { wait: true })).toContain(`Container "${name}" has no healthcheck to wait for.`);
    expect(await isThere(name)).toBe(false);
  });

  it("names the port and the container that has it", async () => {
    const port = await freePort();
    const ports = [{ internal: 80, external: port, ip: "127.0.0.1" }];
    const first = await plugin.create("Container", "c", { ...sleeping, name: objects.name("first"), ports });
    const name = objects.name("second");
    expect(await failing(name, { ports })).toBe(
      `Container "${name}" cannot use port ${port} on 127.0.0.1: container "${first.outputs.name}" uses it.\n  Choose another port in the stack's settings (pgroundwork:port is the server's), or stop what uses this one.`,
    );
    expect(await isThere(name)).toBe(false);
    await plugin.delete(first);
    const { createServer } = await import("node:net");
    const server = createServer().listen(port, "127.0.0.1");
    expect(await failing(name, { ports })).toContain(`cannot use port ${port} on 127.0.0.1: another program uses it.`);
    server.close();
  });

  it("names a missing image, network or command, and leaves nothing", async () => {
    const name = objects.name("missing");
    expect(await failing(name, { image: "nowhere/nothing:1" })).toMatch(
      /^Image "nowhere\/nothing:1" is not on the Docker engine of this machine\./,
    );
    expect(await failing(name, { networksAdvanced: [{ name: "pgw-no-such-net" }] })).toContain(
      "pgw-no-such-net not found",
    );
    expect(await failing(name, { command: ["no-such-command"], init: false })).toContain("no-such-command");
    expect(await isThere(name)).toBe(false);
  });
});
