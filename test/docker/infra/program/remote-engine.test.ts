import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DockerStack, makeDockerStack } from "../../stack.ts";
import { TlsEngine } from "../../tls-engine.ts";

describe("a Docker engine over TCP with TLS", () => {
  const engine = new TlsEngine();
  const stranger = new TlsEngine();
  let shop: DockerStack;

  beforeAll(async () => {
    await engine.start();
    await stranger.start();
    shop = await makeDockerStack();
    shop.clone.env.DOCKER_TLS_VERIFY = "1";
    await shop.configure({ dockerHost: engine.host });
  });
  afterAll(async () => {
    await engine.stop();
    await stranger.stop();
  });

  async function refused(folder: string): Promise<string> {
    shop.clone.env.DOCKER_CERT_PATH = folder;
    const { code, stderr } = await shop.pgw("up");
    expect(code).toBe(1);
    expect(stderr).not.toMatch(/^ +at |bug in pgroundwork|PRIVATE KEY/m);
    return stderr;
  }

  it("is refused if another CA signed its certificate", async () => {
    expect(await refused(stranger.certificates)).toMatch(
      /The Docker engine of tcp:\/\/127\.0\.0\.1:\d+ cannot be verified: .*certificate.*\n {2}.*DOCKER_CERT_PATH/i,
    );
  });

  it("refuses connections without the client certificate, and the error names a missing file", async () => {
    const mixed = join(shop.clone.root, ".pgroundwork-certs");
    await cp(stranger.certificates, mixed, { recursive: true });
    await cp(join(engine.certificates, "ca.pem"), join(mixed, "ca.pem"));
    expect(await refused(mixed)).toMatch(/No Docker engine answers on tcp:\/\/127\.0\.0\.1:\d+: /);
    await rm(join(mixed, "key.pem"));
    expect(await refused(mixed)).toContain(`certificate file ${join(mixed, "key.pem")}.`);
  });

  it("runs the stack as a local engine does, and a second up changes nothing", async () => {
    shop.clone.env.DOCKER_CERT_PATH = engine.certificates;
    await shop.succeed("up");
    expect(await shop.query("readonly", "select count(*)::int from product")).toEqual([{ count: 2 }]);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
    expect((await shop.succeed("logs")).stdout).toContain("database system is ready to accept connections");
    await shop.succeed("down");
    await shop.succeed("destroy", "--erase", shop.stack, "--yes");
  });
});
