import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { engineAccess } from "../../../../../infra/fallback-providers/docker/configuration.ts";
import { plugin } from "../../../../../infra/fallback-providers/docker/plugin.ts";
import { cloneRoot } from "../../../../clone-root.ts";

describe("the docker fallback provider", () => {
  it("has the version and the tokens of the SDK that uses it", async () => {
    const sdk = join(cloneRoot, "node_modules/@pulumi/docker");
    const { version } = JSON.parse(await readFile(join(sdk, "package.json"), "utf8")) as { version: string };
    expect(plugin.version).toBe(version);
    for (const token of Object.keys(plugin.types)) {
      const [, file = ""] = token.split(/[/:]/).slice(1);
      expect(await readFile(join(sdk, `${file}.js`), "utf8")).toContain(`'${token}'`);
    }
  });
});

describe("the docker provider's configuration", () => {
  it("accepts the strings that the engine stores, and ignores empty values", async () => {
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

  it("accepts certificates from a folder", async () => {
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
  ])("refuses %o, which is not supported", (config, key) => {
    expect(() => engineAccess(config)).toThrow(
      `The docker fallback provider does not support the configuration "${key}".`,
    );
  });

  it("refuses a certificate with missing parts", async () => {
    await expect(engineAccess({ caMaterial: "CA" }).certificate()).rejects.toThrow(
      "needs caMaterial, certMaterial and keyMaterial together",
    );
  });
});
