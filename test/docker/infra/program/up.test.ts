import { beforeAll, describe, expect, it } from "vitest";
import { processLimit } from "../../../../infra/plan/container-limits.ts";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { runInContainer } from "../../../../scripts/docker/run-in-container.ts";
import { queryInContainer } from "../../../../scripts/docker/server/query.ts";
import { writeVolumeFiles } from "../../../../scripts/docker/volume-files.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

const docker = dockerClient();

describe("a stack with its server in a container", () => {
  let shop: DockerStack;

  beforeAll(async () => {
    shop = await makeDockerStack({ at: "a clone" });
    await shop.succeed("up");
    await shop.clone.useHosts();
  });

  const products = () => shop.query<{ count: number }>("readonly", "select count(*)::int from product");

  it("has migrated and seeded databases, and a second up changes nothing", async () => {
    expect(await products()).toEqual([{ count: 2 }]);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes \(\d+ resources\)/m);
  });

  it("shows no change after a refresh", async () => {
    expect((await shop.succeed("refresh")).stdout).toMatch(/^no changes/m);
    expect((await shop.succeed("preview")).stdout).toMatch(/^no changes/m);
  });

  it("listens only on the declared address, and accepts only TLS with a password", async () => {
    const { HostConfig } = await shop.inspected();
    const { stdout } = await shop.succeed("url", "--role", "app");
    const url = new URL(stdout.trim());
    expect(HostConfig.PortBindings).toEqual({ "5432/tcp": [{ HostIp: "127.0.0.1", HostPort: url.port }] });
    const { stdout: sockets } = await shop.clone.shell("ss --no-header --listening --tcp --numeric");
    const listening = sockets.split("\n").filter((line) => line.includes(`:${url.port} `));
    expect(listening.map((line) => line.split(/\s+/)[3])).toEqual([`127.0.0.1:${url.port}`]);

    expect(url.searchParams.get("sslmode")).toBe("verify-full");
    const plain = await shop.clone.shell(`psql "${stdout.trim().replace("verify-full", "disable")}" -c "select 1"`);
    expect(plain.code).not.toBe(0);
    expect(plain.stderr).toMatch(/no pg_hba\.conf entry for host .* no encryption/);
    const wrongPassword = await shop.clone.shell(
      `psql "${stdout.trim().replace(/:[^:@]+@/, ":wrong@")}" -c "select 1"`,
    );
    expect(wrongPassword.stderr).toContain("password authentication failed");
    const right = await shop.clone.shell(
      `psql "${stdout.trim()}" -Atc "select version from pg_stat_ssl where pid = pg_backend_pid()"`,
    );
    expect(right.stdout, right.stderr).toMatch(/^TLSv1\.[23]\n$/);
    const [oldest] = await shop.query("superuser", "select current_setting('ssl_min_protocol_version') as version");
    expect(oldest).toEqual({ version: "TLSv1.2" });
  });

  it("stores passwords as SCRAM, and has no trust or md5 rule", async () => {
    const rules = await shop.query<{ type: string; auth_method: string }>(
      "superuser",
      "select distinct type, auth_method from pg_hba_file_rules order by 1, 2",
    );
    expect(rules).toEqual([
      { type: "hostssl", auth_method: "scram-sha-256" },
      { type: "local", auth_method: "peer" },
    ]);
    expect(
      await shop.query(
        "superuser",
        "select rolname from pg_authid where rolcanlogin and rolpassword not like 'SCRAM-SHA-256$%'",
      ),
    ).toEqual([]);
  });

  it("runs without root, capabilities or swap, with the configured memory and a limit for processes", async () => {
    const { HostConfig, Config } = await shop.inspected();
    const settings = await shop.query<{ name: string; setting: string }>(
      "app",
      "select name, setting from pg_settings",
    );
    const limit = processLimit(Object.fromEntries(settings.map(({ name, setting }) => [name, setting])));
    expect(HostConfig).toMatchObject({
      ReadonlyRootfs: true,
      PidsLimit: limit,
      Memory: 1024 * 2 ** 20,
      MemorySwap: 1024 * 2 ** 20,
      CapDrop: ["ALL"],
      Init: true,
    });
    expect(Config.User).toBe("999:999");
    expect(Config.Labels).toMatchObject({
      "org.opencontainers.image.title": "pgroundwork PostgreSQL",
      "org.opencontainers.image.base.name": "debian:trixie-slim",
    });
  });

  it("writes to its volumes and folders in memory only, also after a restart of the container", async () => {
    const inServer = (...command: string[]) => runInContainer(docker, shop.server, { command });
    for (const path of ["/x", "/etc/x", "/usr/local/bin/x", "/var/log/pgbackrest/x", "/home/x"])
      expect((await inServer("touch", path)).stderr, path).toContain("Read-only file system");
    const script = "echo 'echo ran' >/tmp/x && chmod +x /tmp/x && /tmp/x";
    expect((await inServer("sh", "-c", script)).stderr).toContain("Permission denied");
    expect(await inServer("touch", "/tmp/y", "/var/spool/pgbackrest/y")).toMatchObject({ code: 0 });

    await docker.getContainer(shop.server).restart();
    await expect.poll(products, { timeout: 30_000, interval: 200 }).toEqual([{ count: 2 }]);
    expect((await inServer("ls", "/tmp")).stdout).toBe("");
    expect((await shop.pgw("logs")).stdout).toContain("database system is ready to accept connections");
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("shows in preview that the limit for processes was changed by hand, and up restores it", async () => {
    const { PidsLimit: limit } = (await shop.inspected()).HostConfig;
    await docker.getContainer(shop.server).update({ PidsLimit: -1 });
    expect((await shop.succeed("preview")).stdout).toContain("ContainerLimits server-limits (processes)");
    await shop.succeed("up");
    expect((await shop.inspected()).HostConfig.PidsLimit).toBe(limit);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("shows none of its secrets in the engine, the log, the state or the process list", async () => {
    const secrets = (
      await allStrings(JSON.parse((await shop.succeed("outputs", "--json", "--show-secrets")).stdout))
    ).filter((text) => /^[\w-]{43}$/.test(text));
    expect(secrets.length).toBeGreaterThan(5);
    const key = "PRIVATE KEY";
    const { Config, HostConfig, Image } = await shop.inspected();
    const places = {
      inspect: JSON.stringify({ Config, HostConfig }),
      history: JSON.stringify(await docker.getImage(Image).history()),
      log: (await shop.succeed("logs", "--lines", "1000")).stdout,
      state: (await shop.clone.shell(`cat .pgroundwork/.pulumi/stacks/*/${shop.stack}.json`)).stdout,
      processes: (await shop.clone.shell("ps axww -o args; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'"))
        .stdout,
      inside: JSON.stringify(await docker.getContainer(shop.server).top()),
      preview: (await shop.succeed("preview")).stdout,
    };
    expect(places.state.length).toBeGreaterThan(10_000);
    for (const [place, text] of Object.entries(places)) {
      expect(
        secrets.filter((secret) => text.includes(secret)),
        place,
      ).toEqual([]);
      expect(text.includes(key), place).toBe(false);
    }
  });

  it("rotates every password without replacing or restarting a container", async () => {
    const before = await shop.inspected();
    const { stdout: former } = await shop.succeed("url", "--role", "app");
    await shop.configure({ passwordVersion: 2 });
    await shop.succeed("up");
    const after = await shop.inspected();
    expect([after.Id, after.State.StartedAt]).toEqual([before.Id, before.State.StartedAt]);
    expect((await shop.clone.shell(`psql "${former.trim()}" -c "select 1"`)).stderr).toContain(
      "password authentication failed",
    );
    expect(await products()).toEqual([{ count: 2 }]);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("reloads for a setting that needs a reload, and restarts for one that needs a restart", async () => {
    const before = await shop.inspected();
    await shop.configure({ passwordVersion: 2, postgresql: { work_mem: "7MB" } });
    expect((await shop.succeed("preview")).stderr).toMatch(/work_mem \S+ -> 7MB \(reload\)/);
    await shop.succeed("up");
    expect(await shop.query("app", "show work_mem")).toEqual([{ work_mem: "7MB" }]);
    expect((await shop.inspected()).State.StartedAt).toBe(before.State.StartedAt);

    await shop.configure({ passwordVersion: 2, postgresql: { work_mem: "7MB", max_locks_per_transaction: 99 } });
    expect((await shop.succeed("preview")).stderr).toMatch(
      /max_locks_per_transaction 64 -> 99 \(restart, closes connections\)/,
    );
    const { stdout, stderr } = await shop.succeed("up");
    expect(stdout + stderr).toMatch(/restarted to apply max_locks_per_transaction: the server was down for \d+\.\d s/);
    const after = await shop.inspected();
    expect(after.Id).toBe(before.Id);
    expect(after.State.StartedAt).not.toBe(before.State.StartedAt);
    expect(await shop.query("app", "show max_locks_per_transaction")).toEqual([{ max_locks_per_transaction: "99" }]);
  });

  it("refuses settings that PostgreSQL does not accept before anything changes, also in a preview", async () => {
    const before = await shop.inspected();
    await shop.configure({ passwordVersion: 2, postgresql: { work_mem: "7 apples", nonsense: 1 } });
    for (const command of ["preview", "up"]) {
      const { code, stderr } = await shop.pgw(command);
      expect(code, command).toBe(1);
      expect(stderr).toContain("PostgreSQL refuses these settings:");
      expect(stderr).toContain("nonsense");
      expect(stderr).toContain("7 apples");
    }
    expect((await shop.inspected()).State.StartedAt).toBe(before.State.StartedAt);
    expect(await shop.query("app", "show work_mem")).toEqual([{ work_mem: "7MB" }]);
    await shop.configure({ passwordVersion: 2, postgresql: { work_mem: "7MB", max_locks_per_transaction: 99 } });
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("restarts the server if settings that need a restart are removed", async () => {
    const settings = { max_wal_senders: 12, track_commit_timestamp: true, shared_preload_libraries: "auto_explain" };
    await shop.configure({ passwordVersion: 2, postgresql: settings });
    const added = await shop.succeed("up");
    expect(added.stdout + added.stderr).toContain("restarted to apply max_locks_per_transaction, max_wal_senders,");
    expect(await shop.query("superuser", "show max_wal_senders")).toEqual([{ max_wal_senders: "12" }]);
    await shop.configure({ passwordVersion: 2 });
    const { stdout, stderr } = await shop.succeed("up");
    expect(stdout + stderr).toContain(
      "restarted to apply max_wal_senders, shared_preload_libraries, track_commit_timestamp:",
    );
    expect(await shop.query("superuser", "show max_wal_senders")).toEqual([{ max_wal_senders: "10" }]);
  });

  it("refuses settings with which PostgreSQL does not start, and the server keeps running", async () => {
    const before = await shop.inspected();
    await shop.configure({ passwordVersion: 2, postgresql: { superuser_reserved_connections: 98 } });
    for (const command of ["preview", "up"]) {
      const { code, stderr } = await shop.pgw(command);
      expect(code, command).toBe(1);
      expect(stderr).toContain(
        'PostgreSQL does not start with these settings: "superuser_reserved_connections" (98) plus "reserved_connections" (5) must be less than "max_connections" (100)\n',
      );
      expect(stderr).toContain("The server was not changed.");
    }
    expect((await shop.inspected()).State).toMatchObject({ StartedAt: before.State.StartedAt, Running: true });
    await shop.configure({ passwordVersion: 2 });
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("recovers a server that restarts without end when its settings are corrected", async () => {
    const before = await shop.inspected();
    const labelled = (key: string) => before.Config.Labels[`pgroundwork.${key}`] ?? "";
    const owner = { project: labelled("project"), stack: labelled("stack"), owner: labelled("owner") };
    // As an older version left it.
    const broken = "superuser_reserved_connections = 98\nreserved_connections = 3\nmax_connections = 100\n";
    const place = { image: before.Image, volume: `${shop.prefix}-config`, owner };
    await writeVolumeFiles(docker, place, { "postgresql.conf": broken });
    await docker.getContainer(shop.server).restart();
    const loops = async () => (await shop.inspected()).RestartCount > 4 && (await shop.inspected()).State.Restarting;
    await expect.poll(loops, { timeout: 60_000, interval: 200 }).toBe(true);

    await shop.configure({ passwordVersion: 2, postgresql: { work_mem: "9MB" } });
    await shop.succeed("up");
    expect(await shop.query("app", "show work_mem")).toEqual([{ work_mem: "9MB" }]);
    expect(await products()).toEqual([{ count: 2 }]);
    // If Docker itself made the attempt that succeeded, the container counts as steady from its first health check.
    await expect
      .poll(async () => (await shop.inspected()).State.Health?.Status, { timeout: 120_000, interval: 200 })
      .toBe("healthy");
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("does not take a server for one that cannot start because it has crashed three times", async () => {
    const kill = { command: ["sh", "-c", 'kill -KILL "$(head -n 1 "$PGDATA/postmaster.pid")"'], user: "postgres" };
    const isServing = async () => {
      if ((await shop.inspected()).State.Restarting) return false;
      return (await queryInContainer(docker, shop.server, "select 1").catch(() => [])).length === 1;
    };
    const { RestartCount: before } = await shop.inspected();
    for (const crashes of [1, 2, 3]) {
      await expect
        .poll(
          async () => {
            const { RestartCount } = await shop.inspected();
            if (RestartCount >= before + crashes) return true;
            // Fails because the container ends before the command, or because it is just being started again.
            await runInContainer(docker, shop.server, kill).catch(() => {});
            return false;
          },
          { timeout: 180_000, interval: 200 },
        )
        .toBe(true);
      await expect.poll(isServing, { timeout: 180_000, interval: 200 }).toBe(true);
    }
    await shop.configure({ passwordVersion: 3, postgresql: { work_mem: "9MB" } });
    await shop.succeed("up");
    expect(await products()).toEqual([{ count: 2 }]);
  });
});

async function allStrings(value: unknown): Promise<string[]> {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return (await Promise.all(Object.values(value).map(allStrings))).flat();
}
