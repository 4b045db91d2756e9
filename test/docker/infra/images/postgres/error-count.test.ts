import type Docker from "dockerode";
import { beforeAll, describe, expect, it } from "vitest";
import { leastPostgres } from "../../../least-postgres.ts";
import { logs, putFiles, runToEnd, shell, sql, startPostgres, volumeRoot } from "../../../postgres-container.ts";

const folder = "/var/lib/pgroundwork/log";
const mebibyte = 1024 ** 2;

describe("a server with a volume for its log", () => {
  const least = leastPostgres();
  const { objects } = least;
  const { docker } = objects;
  const data = objects.name("data");
  const log = objects.name("log");
  const changed = (mode = "rw", Cmd = ["postgres"]): { changed: Partial<Docker.ContainerCreateOptions> } => ({
    changed: {
      Cmd,
      HostConfig: {
        Binds: [`${log}:${folder}:${mode}`],
        ReadonlyRootfs: true,
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges"],
        Tmpfs: { "/var/run/postgresql": "uid=999,gid=999" },
      },
    },
  });
  let server: Docker.Container;
  beforeAll(async () => {
    server = await least.start({ data, ...changed() });
  });

  /** Fails as psql does, without an error of this process. */
  const failing = (command: string, container = server) =>
    shell(docker, container, `${command} >/dev/null 2>&1 || true`).catch(() => {});
  const raise = (code: string) =>
    `psql -qc "do \\$\\$ begin raise exception 'e' using errcode = '${code}'; end \\$\\$"`;
  const metrics = async (container = server): Promise<Record<string, number>> => {
    const text = await shell(docker, container, `cat ${folder}/errors.prom`);
    const lines = [...text.matchAll(/^pgroundwork_logged_errors_total\{(.*)\} (\d+)$/gm)];
    // Whoever waited for the server may have asked before it was ready.
    const counted = lines.filter(([, labels]) => !labels?.includes('sqlstate="57P03"'));
    return Object.fromEntries(counted.map(([, labels = "", count]) => [labels, Number(count)]));
  };
  const kind = (severity: string, sqlClass: string, code: string, database: string) =>
    `severity="${severity}",class="${sqlClass}",sqlstate="${code}",database="${database}"`;
  const polling = { timeout: 10_000, interval: 200 };

  it("counts its errors by severity, class, code and database, and still logs to the container", async () => {
    await sql(docker, server, 'create database "a ""b"" \\c"');
    await failing("psql -c 'select 1 / 0'");
    await failing(`psql -c 'select 1 / 0' 'a "b" \\c'`);
    await failing(raise("XX001"));
    await failing(raise("ZZ123"));
    // Only sessions name a database. Anyone can ask for one that does not exist.
    await failing("psql -d nowhere");
    await failing("psql -U nobody -d elsewhere");
    await expect
      .poll(() => metrics(), polling)
      .toEqual({
        [kind("ERROR", "22", "", "postgres")]: 1,
        [kind("ERROR", "22", "", 'a \\"b\\" \\\\c')]: 1,
        [kind("ERROR", "XX", "XX001", "postgres")]: 1,
        [kind("ERROR", "other", "", "postgres")]: 1,
        [kind("FATAL", "3D", "", "")]: 1,
        [kind("FATAL", "28", "", "")]: 1,
      });
    const text = await logs(server);
    for (const line of ["ready to accept connections", "ERROR:  division by zero", 'database "nowhere" does not exist'])
      expect(text).toContain(line);
  });

  it("writes the memory of its container, which is at most its limit, its kills and its processor time", async () => {
    const { HostConfig } = await server.inspect();
    const numbers = async () => {
      const text = await shell(docker, server, `cat ${folder}/errors.prom`);
      const found = [...text.matchAll(/^pgroundwork_container_(\w+) (\S+)$/gm)];
      return Object.fromEntries(found.map(([, name = "", value]) => [name, Number(value)]));
    };
    const { memory_bytes: used = 0, oom_kills_total: kills, cpu_seconds_total: seconds = 0 } = await numbers();
    // A small server without shared_buffers in use has some MiB.
    expect(used).toBeGreaterThan(mebibyte);
    expect(used).toBeLessThan(1024 * mebibyte);
    expect(kills).toBe(0);
    expect(seconds).toBeGreaterThan(0);
    await server.update({ Memory: 2048 * mebibyte, MemorySwap: 2048 * mebibyte });
    expect(HostConfig.Memory).toBe(0);
    await expect
      .poll(async () => (await numbers()).memory_limit_bytes, { ...polling, timeout: 30_000 })
      .toBe(2048 * mebibyte);
  });

  it("shows other accounts the counts and nothing of the log", async () => {
    const modes = await shell(docker, server, `stat -c '%n %a' ${folder} ${folder}/*.json ${folder}/*.prom`);
    expect(modes.replaceAll(`${folder}/`, "").split("\n")).toEqual([
      `${folder} 755`,
      "errors.json 600",
      "server.json 600",
      "errors.prom 644",
    ]);
    expect(await shell(docker, server, `cat ${folder}/errors.json ${folder}/errors.prom`)).not.toContain("zero");
  });

  it("keeps its log small, and counts every error of a flood", async () => {
    const flood = `set client_min_messages = error;
      do $$ begin for i in 1..20000 loop raise warning using message = repeat('x', 500); end loop; end $$;`;
    await sql(docker, server, flood);
    const erring = "for n in $(seq 500); do echo 'select 1 / 0;'; done";
    await failing(`(${erring}) | psql -q`);
    await expect.poll(async () => (await metrics())[kind("ERROR", "22", "", "postgres")], polling).toBe(501);
    expect(Number(await shell(docker, server, `stat -c %s ${folder}/server.json`))).toBeLessThan(mebibyte);
    expect(await shell(docker, server, `cat ${folder}/errors.prom`)).toContain("log_skipped_bytes_total 0\n");
  });

  it("counts on after a stop and a kill, also what was not counted before", async () => {
    await failing("psql -c 'select 1 / 0'");
    await server.stop();
    expect((await server.inspect()).State.ExitCode).toBe(0);
    expect((await logs(server)).trimEnd()).toMatch(/database system is shut down$/);
    await server.start();
    await shell(docker, server, "until psql -c 'select 1'; do sleep 0.05; done >/dev/null 2>&1");
    await shell(docker, server, "kill -STOP $(grep -lz '^/usr/bin/python3' /proc/[0-9]*/cmdline | cut -d/ -f3)");
    await failing("psql -c 'select 1 / 0'");
    await server.kill();
    await server.start();
    await expect.poll(async () => (await metrics())[kind("ERROR", "22", "", "postgres")], polling).toBe(503);
    // A killed error-count is started again.
    await shell(docker, server, "kill -KILL $(grep -lz '^/usr/bin/python3' /proc/[0-9]*/cmdline | cut -d/ -f3)").catch(
      () => {},
    );
    await shell(docker, server, "until psql -c 'select 1'; do sleep 0.05; done >/dev/null 2>&1");
    await failing("psql -c 'select 1 / 0'");
    await expect.poll(async () => (await metrics())[kind("ERROR", "22", "", "postgres")], polling).toBe(504);
  });

  it("starts although another process has the number of the one that was killed before", async () => {
    await server.kill();
    await putFiles(server, `${volumeRoot}/17/data`, { "postmaster.pid": "1\n" });
    await server.start();
    await shell(docker, server, "until psql -c 'select 1'; do sleep 0.05; done >/dev/null 2>&1");
  });

  it("passes signals on to the server", async () => {
    await sql(docker, server, "alter system set log_lock_waits = on");
    await server.kill({ signal: "SIGHUP" });
    await expect.poll(() => sql(docker, server, "show log_lock_waits"), polling).toBe("on");
    await server.kill({ signal: "SIGTERM" });
    expect(await server.wait()).toMatchObject({ StatusCode: 0 });
  });

  it("counts and logs the reason why it does not start", async () => {
    const failed = await least.create({ data, ...changed("rw", ["postgres", "-c", "hba_file=/nowhere"]) });
    for (let starts = 1; starts <= 3; starts += 1) {
      const { code, log: text } = await runToEnd(failed);
      expect([code, text.match(/FATAL: {2}could not load \/nowhere/g)?.length]).toEqual([1, starts]);
    }
    await server.start();
    await expect.poll(async () => (await metrics())[kind("FATAL", "XX", "XX000", "")], polling).toBe(3);
  });

  it("starts without counting if the volume cannot be written, and says so", async () => {
    await server.stop();
    const reader = await startPostgres(objects, {
      image: least.image,
      data,
      configuration: await least.filled("/etc/pgroundwork", {
        "postgresql.conf": "",
        "pg_hba.conf": "local all postgres peer\n",
        "pg_ident.conf": "",
      }),
      ...changed("ro"),
    });
    expect(await logs(reader)).toContain(`pgroundwork: errors are not counted: ${folder} or the container's stderr`);
    expect(await sql(docker, reader, "show logging_collector")).toBe("off");
  });
});
