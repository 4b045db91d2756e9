import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { caFile } from "../../../../scripts/tls/ca-file.ts";
import { setClockBack } from "../../../set-clock-back.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

describe("the certificate of a stack's server", () => {
  let shop: DockerStack;

  beforeAll(async () => {
    shop = await makeDockerStack();
    // The server's certificate is valid for a year, so that today is among its last days.
    const setRight = await setClockBack(shop.clone, 330);
    await shop.succeed("up");
    setRight();
  });

  /** Returns the certificate that the server presents to clients. */
  async function shown(changed: Partial<Connection> = {}): Promise<DetailedPeerCertificate> {
    return withClient({ ...(await shop.login("app")), ...changed }, async (client) => {
      const { stream } = (client as unknown as { connection: { stream: TLSSocket } }).connection;
      return stream.getPeerCertificate(true);
    });
  }

  const life = async () => {
    const { Id, State } = await shop.inspected();
    return [Id, State.StartedAt];
  };

  it("contains every address and name by which clients and sidecars reach the server", async () => {
    const { subjectaltname } = await shown();
    const names = ["DNS:localhost", "DNS:postgres", `DNS:${shop.server}`, "IP Address:127.0.0.1"];
    expect(subjectaltname?.split(", ").sort()).toEqual(names.sort());
    expect((await shown({ host: "localhost" })).subjectaltname).toBe(subjectaltname);
  });

  it("is renewed by up near its end, as preview says, without a replacement or a restart", async () => {
    const [before, alive] = [await shown(), await life()];
    const preview = await shop.succeed("preview");
    const changed = preview.stdout.split("\n").filter((line) => /^ +[~+±-] /.test(line));
    expect(changed.map((line) => line.trim())).toEqual([
      "~ ServerCertificate server-tls-certificate (notAfter)",
      expect.stringMatching(/^~ VolumeFiles server-files /),
      expect.stringMatching(/^~ ContainerServer server-running /),
    ]);
    expect(preview.stdout + preview.stderr).toMatch(
      /server-tls-certificate: will be renewed: valid until \d{4}-\d\d-\d\d/,
    );
    const up = await shop.succeed("up");
    expect(up.stdout + up.stderr).toMatch(/server-tls-certificate: renewed: was valid until \d{4}-\d\d-\d\d/);
    const renewed = await shown();
    expect(renewed.fingerprint256).not.toBe(before.fingerprint256);
    expect(renewed.issuerCertificate.fingerprint256).toBe(before.issuerCertificate.fingerprint256);
    expect(Date.parse(renewed.valid_to) - Date.now()).toBeGreaterThan(364 * 86_400_000);
    expect(await life()).toEqual(alive);
    expect((await shop.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("is verified by a refresh in a project directory without the CA file, or with another one", async () => {
    const file = join(shop.clone.root, caFile(shop.stack));
    await rm(file);
    expect((await shop.succeed("refresh")).stdout).toMatch(/^no changes/m);
    await writeFile(file, "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n");
    expect((await shop.succeed("refresh")).stdout).toMatch(/^no changes/m);
    await rm(file);
    expect((await shop.succeed("preview")).stdout).toMatch(/^no changes/m);
  });
});
