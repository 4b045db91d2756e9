import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { ServerCertificates } from "../../../../infra/components/server-certificates.ts";
import { recordResources, registered, value } from "./recorded-resources.ts";

let resources: Awaited<ReturnType<typeof recordResources>>;
let certificates: ServerCertificates;
beforeAll(async () => {
  resources = await recordResources();
  const hosts = [pulumi.output("127.0.0.1"), "shop-dev-postgres"];
  certificates = await registered(
    (options) => new ServerCertificates("tls", { project: "shop", stack: "dev", hosts }, options),
  );
});

describe("the component of a server's certificates", () => {
  it("declares a CA and a certificate, and no other resource", () => {
    const all = resources.recorded();
    expect(all.map(({ type, name }) => `${name}: ${type}`).sort()).toEqual([
      "tls-authority: pgroundwork:index:CertificateAuthority",
      "tls-certificate: pgroundwork:index:ServerCertificate",
      "tls: pgroundwork:components:ServerCertificates",
    ]);
    expect(all.filter(({ name }) => name !== "tls").map(({ parent }) => parent)).toEqual(["tls", "tls"]);
  });

  it("names the CA after project and stack, and keeps its key secret", () => {
    expect(resources.one("tls-authority")).toMatchObject({
      inputs: { commonName: "shop dev", validityDays: 3650, renewBeforeDays: 365 },
      secretOutputs: ["privateKey"],
    });
  });

  it("has a certificate for the hosts that clients use, and for the name that Node's driver checks", () => {
    expect(resources.one("tls-certificate")).toMatchObject({
      inputs: {
        authorityCertificate: "certificate of tls-authority",
        authorityKey: "key of tls-authority",
        hosts: ["127.0.0.1", "shop-dev-postgres", "localhost"],
        validityDays: 365,
        renewBeforeDays: 60,
      },
      secrets: ["authorityKey"],
      secretOutputs: ["authorityKey", "privateKey"],
    });
  });

  it("outputs a secret key for the server, and the CA certificate for clients", async () => {
    expect(await value(certificates.certificate)).toBe("certificate of tls-certificate");
    expect(await value(certificates.privateKey)).toBe("key of tls-certificate");
    expect(await pulumi.isSecret(certificates.privateKey)).toBe(true);
    expect(await value(certificates.caCertificate)).toBe("bundle of tls-authority");
  });
});
