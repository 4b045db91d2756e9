import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { engineAccess } from "../../../../../infra/airgap/docker/configuration.ts";
import { plugin } from "../../../../../infra/airgap/docker/plugin.ts";
import { cloneRoot } from "../../../../clone-root.ts";

describe("the plugin", () => {
  it("is of the version of the SDK that asks for it, and has its tokens", async () => {
    const sdk = join(cloneRoot, "node_modules/@pulumi/docker");
    const { version } = JSON.parse(await readFile(join(sdk, "package.json"), "utf8")) as { version: string };
    expect(plugin.version).toBe(version);
    for (const token of Object.keys(plugin.types)) {
      const [, file = ""] = token.split(/[/:]/).slice(1);
      expect(await readFile(join(sdk, `${file}.js`), "utf8")).toContain(`'${token}'`);
    }
  });
});

describe("the provider's configuration", () => {
  it("understands the strings that the engine stores; what holds nothing is nothing", async () => {
    const access = engineAccess({
      host: "tcp://db.example:2376",
      caMaterial: "CA",
      certMaterial: "CERT",
      keyMaterial: "KEY",
      disableDockerDaemonCheck: "true",
      registryAuth: "[]",
      sshOpts: "null",
      context: "",
    });
    expect(access).toMatchObject({ host: "tcp://db.example:2376", checksEngine: false });
    expect(await access.certificate()).toEqual({ ca: "CA", cert: "CERT", key: "KEY" });
    const bare = engineAccess({});
    expect(bare).toMatchObject({ host: undefined, checksEngine: true });
    expect(await bare.certificate()).toBeUndefined();
  });

  it("takes certificates of a folder", async () => {
    const certPath = await mkdtemp(join(tmpdir(), "pgw-certificates-"));
    for (const name of ["ca", "cert", "key"]) await writeFile(join(certPath, `${name}.pem`), name);
    expect(await engineAccess({ certPath }).certificate()).toEqual({ ca: "ca", cert: "cert", key: "key" });
    await rm(join(certPath, "key.pem"));
    await expect(engineAccess({ certPath }).certificate()).rejects.toThrow(
      `The docker provider's certificate file ${join(certPath, "key.pem")} cannot be read.`,
    );
    await rm(certPath, { recursive: true });
  });

  it.each([
    [{ context: "remote" }, "context"],
    [{ registryAuth: '[{"address":"x"}]' }, "registryAuth"],
    [{ sshOpts: '["-v"]' }, "sshOpts"],
  ])("refuses %o, which it could not carry out", (config, key) => {
    expect(() => engineAccess(config)).toThrow(
      `The stand-in for the docker provider does not support the configuration "${key}".`,
    );
  });

  it("refuses a certificate of which a part is missing", async () => {
    await expect(engineAccess({ caMaterial: "CA" }).certificate()).rejects.toThrow("are needed together");
  });
});
