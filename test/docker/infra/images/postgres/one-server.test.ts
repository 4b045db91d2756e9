import type Docker from "dockerode";
import { describe, expect, it } from "vitest";
import { leastPostgres } from "../../../least-postgres.ts";
import { firstAnswer, logs, sql } from "../../../postgres-container.ts";

const refusal = "pgroundwork: another container runs a server on the volume at /var/lib/postgresql.";

describe("containers on one volume", () => {
  const { objects, create, start } = leastPostgres();
  const { docker } = objects;

  it("serve only once when started together on a fresh volume; the other says why, and serves later", async () => {
    const data = objects.name("data");
    const both = await Promise.all([create({ data }), create({ data })]);
    await Promise.all(both.map((container) => container.start()));
    const first = await Promise.race(both.map(async (container) => ended(container)));
    const [refused, serving] = first.container === both[0] ? both : both.toReversed();
    if (refused === undefined || serving === undefined) throw new Error("two containers were made");
    expect(first.code).toBe(1);
    expect(await logs(refused)).toBe(`${refusal}\n`);

    await firstAnswer(docker, serving);
    await sql(docker, serving, "create table kept as select 42 as answer");
    await serving.stop();
    await refused.start();
    await firstAnswer(docker, refused);
    expect(await sql(docker, refused, "select answer from kept")).toBe("42");
    expect(await logs(refused)).toContain("database system was shut down at");
  });

  it("wait for an old container that is still shutting down", async () => {
    const data = objects.name("data");
    const old = await start({ data });
    await sql(docker, old, "create table kept as select 42 as answer");
    const next = await create({ data });
    await next.start();
    await old.stop();
    await firstAnswer(docker, next);
    expect(await sql(docker, next, "select answer from kept")).toBe("42");
    expect(await logs(next)).not.toContain("recovery");
  });
});

async function ended(container: Docker.Container): Promise<{ container: Docker.Container; code: number }> {
  const { StatusCode: code } = await container.wait();
  return { container, code };
}
