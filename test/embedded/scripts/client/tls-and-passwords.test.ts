import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { createPool } from "../../../../scripts/client/create-pool.ts";
import type { PoolOptions } from "../../../../scripts/client/settings.ts";
import { withClient } from "../../../../scripts/connection/client.ts";
import { makeCa, makeServerCertificate } from "../../../../scripts/tls/certificates.ts";
import { startTlsServer, type TlsServer } from "../../tls-server.ts";

let server: TlsServer;
let caFile: string;
let otherCaFile: string;

beforeAll(async () => {
  const [authority, stranger] = await Promise.all(
    [1, 2].map(() => makeCa({ commonName: "shop dev", validityDays: 100 })),
  );
  if (authority === undefined || stranger === undefined) throw new Error("no CA was made");
  server = await startTlsServer(await makeServerCertificate(authority, { hosts: ["localhost"], validityDays: 10 }));
  await server.createDatabase("shop");
  caFile = join(inject("scratch"), "client-ca.pem");
  otherCaFile = join(inject("scratch"), "client-other-ca.pem");
  await writeFile(caFile, authority.certificate);
  await writeFile(otherCaFile, stranger.certificate);
});
afterAll(() => server?.stop());

/** Creates a pool from a URL, as the application's role. */
function pool(host: string, parameters: string, options: PoolOptions = {}) {
  const { user, password = "", port } = server.as("app", "shop");
  const url = `postgresql://${user}:${password}@${host}:${port}/shop?${parameters}`;
  const created = createPool({ env: {}, connection: url, max: 2, connectionTimeoutMs: 5_000, ...options });
  onTestFinished(async () => {
    await created.end();
  });
  return created;
}

const encrypted = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";

describe("a pool over TLS", () => {
  it("verifies the server with the CA in the URL, whatever sslmode stands there", async () => {
    for (const mode of ["verify-full", "verify-ca", "require"]) {
      expect((await pool("localhost", `sslmode=${mode}&sslrootcert=${caFile}`).query(encrypted)).rows).toEqual([
        { ssl: true },
      ]);
      const started = performance.now();
      const refused = pool("localhost", `sslmode=${mode}&sslrootcert=${otherCaFile}`).query("select 1");
      await expect(refused).rejects.toThrow("signed by a CA that is not trusted here");
      expect(performance.now() - started).toBeLessThan(4_500);
    }
    const otherName = pool("127.0.0.1", `sslmode=verify-full&sslrootcert=${caFile}`).query("select 1");
    await expect(otherName).rejects.toThrow('not for "127.0.0.1" but for localhost');
    expect((await pool("127.0.0.1", `sslmode=verify-ca&sslrootcert=${caFile}`).query(encrypted)).rows).toEqual([
      { ssl: true },
    ]);
  });

  it("cancels statements", async () => {
    const on = pool("localhost", `sslmode=verify-full&sslrootcert=${caFile}`);
    await on.query("select 1");
    const cancelled = on.query({ text: "select pg_sleep(20)", signal: AbortSignal.timeout(100) });
    await expect(cancelled).rejects.toMatchObject({ name: "TimeoutError" });
    // The caller does not wait until the server has confirmed the cancellation.
    await expect.poll(() => on.stats, { timeout: 10_000 }).toMatchObject({ used: 0, idle: 1, connects: 1 });
  });

  it("reports a missing CA file when it is created", () => {
    expect(() => pool("localhost", "sslmode=verify-full&sslrootcert=/nowhere/ca.pem")).toThrow(
      'Cannot read the CA file "/nowhere/ca.pem"',
    );
  });
});

describe("a password in a file", () => {
  it("is read for each connection, so that a running pool survives its rotation", async () => {
    const file = join(inject("scratch"), "client-password");
    await writeFile(file, `${server.as("app", "shop").password}\n`);
    const on = pool("localhost", "", { passwordFile: file, maxLifetimeMs: 1 });
    await on.query("select 1");
    await withClient(server.connection(), (client) => client.query("alter role shop_app password 'rotated'"));
    await writeFile(file, "rotated");
    expect((await on.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await writeFile(file, "wrong");
    // The connection of the statement before exceeds its lifetime.
    await sleep(20);
    const error = (await on.query("select 1").catch((thrown: unknown) => thrown)) as Error;
    expect(error.message).toContain("password authentication failed");
    expect(JSON.stringify([error, error.message, error.cause])).not.toContain("wrong");
    await writeFile(file, "rotated");
    expect((await on.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });
});

describe("a password function", () => {
  it("is called for each connection, and again if the server refuses a password that has changed", async () => {
    const change = (password: string) =>
      withClient(server.connection(), (client) => client.query(`alter role shop_app password '${password}'`));
    let current = "first";
    await change(current);
    const stale: string[] = [];
    const on = pool("localhost", "", { password: async () => stale.shift() ?? current });
    const connects = async () => {
      const before = on.stats.connectAttempts;
      const client = await on.connect();
      expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
      client.release(true);
      return on.stats.connectAttempts - before;
    };
    expect(await connects()).toBe(1);
    current = "second";
    await change(current);
    expect(await connects()).toBe(1);
    // The secret store still had the old one when it was asked first.
    stale.push("first");
    expect(await connects()).toBe(2);
  });

  it("that returns no string is reported at once", async () => {
    for (const value of [undefined, null, 5]) {
      const refusing = pool("localhost", `sslrootcert=${caFile}`, { password: () => value as unknown as string });
      await expect(refusing.query("select 1")).rejects.toThrow(
        `The pool's password function returned a value of the type ${value === null ? "null" : typeof value}.`,
      );
      expect(refusing.stats.connectAttempts).toBe(1);
    }
  });
});
