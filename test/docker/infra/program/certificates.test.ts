import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { withClient } from "../../../../scripts/target/client.ts";
import type { Connection } from "../../../../scripts/target/connection.ts";
import { fromUrl } from "../../../../scripts/target/url.ts";
import { authorityFile } from "../../../../scripts/tls/authority-file.ts";
import { removeNamed } from "../../belongings.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

const docker = dockerClient();

/** Has every program of Node's see the time of 330 days ago: of the year that a server's certificate holds, the last days are today. */
const longAgo = `const RealDate = Date;
const shift = 330 * 86_400_000;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() - shift);
    else super(...given);
  }
  static now() {
    return RealDate.now() - shift;
  }
};
`;

describe("the certificate of a stack's server", () => {
  let shop: DockerStack;
  let container: string;

  beforeAll(async () => {
    shop = await makeDockerStack();
    container = `${shop.prefix}-postgres`;
    const clock = join(shop.clone.root, ".pgroundwork", "long-ago.mjs");
    await writeFile(clock, longAgo);
    const { NODE_OPTIONS } = shop.clone.env;
    shop.clone.env.NODE_OPTIONS = `--import=${clock}`;
    await shop.succeed("up");
    if (NODE_OPTIONS === undefined) delete shop.clone.env.NODE_OPTIONS;
    else shop.clone.env.NODE_OPTIONS = NODE_OPTIONS;
  });

  // What is registered while a hook runs is never called.
  afterAll(async () => {
    await removeNamed(shop.prefix);
    await shop.clone.remove();
  });

  /** As `pgw url` says. */
  async function connection(): Promise<Connection> {
    const url = new URL((await shop.succeed("url", "--role", "app")).stdout.trim());
    const { password } = url;
    url.password = "";
    return fromUrl(url.href, { PGPASSWORD: decodeURIComponent(password) });
  }

  /** What the server shows to who verifies it. */
  async function shown(changed: Partial<Connection> = {}): Promise<DetailedPeerCertificate> {
    return withClient({ ...(await connection()), ...changed }, async (client) => {
      const { stream } = (client as unknown as { connection: { stream: TLSSocket } }).connection;
      return stream.getPeerCertificate(true);
    });
  }

  const life = async () => {
    const { Id, State } = await docker.getContainer(container).inspect();
    return [Id, State.StartedAt];
  };

  it("is named for how clients reach the server, by address, by name and beside it", async () => {
    const { subjectaltname } = await shown();
    const names = ["DNS:localhost", "DNS:postgres", `DNS:${container}`, "IP Address:127.0.0.1"];
    expect(subjectaltname?.split(", ").sort()).toEqual(names.sort());
    expect((await shown({ host: "localhost" })).subjectaltname).toBe(subjectaltname);
  });

  it("is renewed by up near its end, which preview says: nothing is replaced, restarted or done again for it", async () => {
    const [before, alive] = [await shown(), await life()];
    const preview = await shop.succeed("preview");
    const changed = preview.stdout.split("\n").filter((line) => /^ +[~+±-] /.test(line));
    expect(changed.map((line) => line.trim())).toEqual([
      "~ ServerCertificate server-tls-certificate (notAfter)",
      expect.stringMatching(/^~ VolumeFiles server-files /),
      expect.stringMatching(/^~ ContainerServer server-running /),
    ]);
    expect(preview.stdout + preview.stderr).toMatch(/server-tls-certificate: is renewed: valid until \d{4}-\d\d-\d\d/);
    const up = await shop.succeed("up");
    expect(up.stdout + up.stderr).toMatch(/server-tls-certificate: renewed: was valid until \d{4}-\d\d-\d\d/);
    const renewed = await shown();
    expect(renewed.fingerprint256).not.toBe(before.fingerprint256);
    expect(renewed.issuerCertificate.fingerprint256).toBe(before.issuerCertificate.fingerprint256);
    expect(Date.parse(renewed.valid_to) - Date.now()).toBeGreaterThan(364 * 86_400_000);
    expect(await life()).toEqual(alive);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("is verified by a refresh in a clone that has no file of the authorities, or one of others", async () => {
    const file = join(shop.clone.root, authorityFile(shop.stack));
    await rm(file);
    expect((await shop.succeed("refresh")).stdout).toMatch(/^no changes/m);
    await writeFile(file, "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n");
    expect((await shop.succeed("refresh")).stdout).toMatch(/^no changes/m);
    await rm(file);
    expect((await shop.succeed("preview")).stdout).toMatch(/^no changes/m);
  });
});
