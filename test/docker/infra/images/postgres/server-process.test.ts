import { describe, expect, it } from "vitest";
import { leastPostgres } from "../../../least-postgres.ts";
import { firstAnswer, logs, shell, sql } from "../../../postgres-container.ts";

describe("a server in a container", () => {
  const { objects, start } = leastPostgres();
  const { docker } = objects;

  it("shuts down on docker stop while sessions are open, and starts without recovery", async () => {
    const container = await start();
    const session = sql(docker, container, "create table kept as select 42 as answer; select pg_sleep(600)").catch(
      String,
    );
    await shell(docker, container, "until psql -X -A -t -c 'table kept' 2>/dev/null | grep -q 42; do sleep 0.05; done");
    await container.stop();
    expect(await session).toContain("terminating connection due to administrator command");
    expect((await container.inspect()).State).toMatchObject({ ExitCode: 0, OOMKilled: false });
    const before = await logs(container);
    expect(before).toContain("received fast shutdown request");
    expect(before.trimEnd()).toMatch(/database system is shut down$/);

    await container.start();
    await firstAnswer(docker, container);
    const log = (await logs(container)).slice(before.length);
    expect(log).toContain("database system was shut down at");
    expect(log).not.toContain("recovery");
    expect(await sql(docker, container, "select answer from kept")).toBe("42");
  });

  it("shuts down on SIGTERM once its clients have left", async () => {
    const container = await start();
    await container.kill({ signal: "SIGTERM" });
    expect(await container.wait()).toMatchObject({ StatusCode: 0 });
    expect((await logs(container)).trimEnd()).toMatch(/database system is shut down$/);
  });

  it.each([
    { what: "the container", kill: "container" },
    { what: "the postmaster", kill: "postmaster" },
  ])("recovers committed rows when $what is killed", async ({ kill }) => {
    const container = await start();
    await sql(docker, container, "create table kept as select 42 as answer");
    const before = await logs(container);
    const end = container.wait();
    if (kill === "container") await container.kill({ signal: "SIGKILL" });
    else
      await shell(docker, container, "kill -KILL $(head -n 1 /var/lib/postgresql/17/data/postmaster.pid)").catch(
        String,
      );
    expect(await end).toMatchObject({ StatusCode: 137 });

    await container.start();
    await firstAnswer(docker, container);
    expect((await logs(container)).slice(before.length)).toContain("automatic recovery in progress");
    expect(await sql(docker, container, "select answer from kept")).toBe("42");
  });

  it("starts although another process has the number of the one that left the lock of the socket", async () => {
    const lock = "sleep 600 & echo $! > /var/run/postgresql/.s.PGSQL.5432.lock";
    const container = await start({ changed: { Cmd: ["sh", "-c", `${lock}; exec postgres-entrypoint postgres`] } });
    expect(await sql(docker, container, "select 1")).toBe("1");
  });

  it("does not take the end of an orphan process for a crash of its own", async () => {
    const container = await start();
    await shell(docker, container, "(setsid sh -c 'sleep 0.2; exit 25' &); sleep 0.6");
    expect(await sql(docker, container, "select 1")).toBe("1");
    expect(await logs(container)).not.toContain("terminating any other active server processes");
  });

  it("runs without capabilities on a read-only root file system", async () => {
    const hardened = { Init: true, ReadonlyRootfs: true, CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges"] };
    const HostConfig = { ...hardened, Tmpfs: { "/var/run/postgresql": "uid=999,gid=999" } };
    const container = await start({ changed: { HostConfig } });
    expect(await sql(docker, container, "select 1")).toBe("1");
  });
});
