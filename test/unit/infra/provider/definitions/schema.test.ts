import { readFile } from "node:fs/promises";
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { type ResourceName, tokenOf } from "../../../../../infra/provider/definitions/definitions.ts";
import { schema } from "../../../../../infra/provider/definitions/schema.ts";
import { plugin } from "../../../../../infra/provider/plugin.ts";
import * as backups from "../../../../../infra/provider/sdk/backups.ts";
import * as certificates from "../../../../../infra/provider/sdk/certificates.ts";
import * as containers from "../../../../../infra/provider/sdk/containers.ts";
import * as databases from "../../../../../infra/provider/sdk/databases.ts";
import type * as functions from "../../../../../infra/provider/sdk/functions.ts";
import * as servers from "../../../../../infra/provider/sdk/servers.ts";

const versions = "../../../../fixtures/versions";

const connection: Required<servers.ConnectionArgs> = {
  host: "127.0.0.1",
  port: 5432,
  database: "shop",
  user: "ann",
  password: "a-secret-password",
  sslmode: "disable",
  caCertificate: "PEM",
};

/**
 * Every class with every argument of its type. An argument that is added to the SDK does not compile until it is added
 * here.
 */
const declared: Record<
  ResourceName,
  { args: object; declare: (name: string) => pulumi.CustomResource; outputs: string[] }
> = {
  EmbeddedServer: ofArgs<Required<servers.EmbeddedServerArgs>>(
    servers.EmbeddedServer,
    {
      ...{ port: 5432, dataDirectory: "/data", server: "main" },
      ...{ superuserPassword: "a-secret-password", settings: { work_mem: "4MB" } },
    },
    ["host", "port", "dataDirectory", "logDirectory", "version", "pid"],
  ),
  Ready: ofArgs<Required<servers.ReadyArgs>>(
    servers.Ready,
    { ...connection, trigger: 1, timeoutSeconds: 60, logDirectory: "/log" },
    ["host", "port", "serverVersion"],
  ),
  CertificateAuthority: ofArgs<Required<certificates.CertificateAuthorityArgs>>(
    certificates.CertificateAuthority,
    { commonName: "shop dev", keeper: "1", validityDays: 3650, renewBeforeDays: 365 },
    ["certificate", "privateKey", "trustBundle", "notAfter"],
  ),
  ServerCertificate: ofArgs<Required<certificates.ServerCertificateArgs>>(
    certificates.ServerCertificate,
    {
      authorityCertificate: "PEM",
      authorityKey: "a-secret-key",
      hosts: ["127.0.0.1"],
      validityDays: 365,
      renewBeforeDays: 60,
    },
    ["certificate", "privateKey", "notAfter", "fingerprint"],
  ),
  VolumeFiles: ofArgs<Required<containers.VolumeFilesArgs>>(
    containers.VolumeFiles,
    { dockerHost: "unix:///docker.sock", image: "sha256:0", volume: "shop-config", files: { "a.conf": "a-secret" } },
    ["revision"],
  ),
  ServerSettings: ofArgs<Required<containers.ServerSettingsArgs>>(
    containers.ServerSettings,
    {
      ...{ dockerHost: "unix:///docker.sock", image: "sha256:0", settings: { work_mem: "4MB" } },
      ...{ memoryMb: 1024, shmSizeMb: 64, container: "shop" },
    },
    ["text"],
  ),
  ContainerServer: ofArgs<Required<containers.ContainerServerArgs>>(
    containers.ContainerServer,
    {
      dockerHost: "unix:///docker.sock",
      container: "shop",
      containerId: "0",
      revision: "0",
      settings: {},
      superuserPassword: "a-secret-password",
      timeoutSeconds: 60,
    },
    ["container", "containerId"],
  ),
  ContainerLimits: ofArgs<Required<containers.ContainerLimitsArgs>>(
    containers.ContainerLimits,
    { dockerHost: "unix:///docker.sock", container: "shop-postgres", containerId: "0", processes: 249 },
    [],
  ),
  ContainerProcess: ofArgs<Required<containers.ContainerProcessArgs>>(
    containers.ContainerProcess,
    {
      dockerHost: "unix:///docker.sock",
      container: "shop",
      containerId: "0",
      revision: "0",
      reload: ["reload"],
      check: ["check"],
      timeoutSeconds: 60,
    },
    ["container", "containerId"],
  ),
  BackupPassphrase: ofArgs<Required<backups.BackupPassphraseArgs>>(
    backups.BackupPassphrase,
    { dockerHost: "unix:///docker.sock", image: "sha256:0", volume: "shop-data", passphrase: "given", generation: 2 },
    ["result", "former"],
  ),
  RestoredCluster: ofArgs<Required<backups.RestoredClusterArgs>>(
    backups.RestoredCluster,
    {
      ...{ dockerHost: "unix:///docker.sock", image: "sha256:0", volume: "shop-data", network: "shop-backup-network" },
      ...{ configurationVolume: "shop-config", configurationFile: "pgbackrest.conf", repositoryVolume: "shop-backup" },
      ...{ serverContainer: "shop-postgres", backupContainer: "shop-backup", restore: "latest" },
    },
    [],
  ),
  BackupStanza: ofArgs<Required<backups.BackupStanzaArgs>>(
    backups.BackupStanza,
    {
      dockerHost: "unix:///docker.sock",
      container: "shop-backup",
      containerId: "0",
      server: "shop",
      serverId: "0",
      revision: "0",
      timeoutSeconds: 60,
    },
    ["container"],
  ),
  EvidenceKey: ofArgs<object>(backups.EvidenceKey, {}, ["privateKey", "publicKey"]),
  DrillEvidence: ofArgs<Required<backups.DrillEvidenceArgs>>(
    backups.DrillEvidence,
    { dockerHost: "unix:///docker.sock", container: "shop-drill", containerId: "0", publicKey: "PEM" },
    ["number", "hash"],
  ),
  DockerNames: ofArgs<Required<containers.DockerNamesArgs>>(
    containers.DockerNames,
    { dockerHost: "unix:///docker.sock", server: "main" },
    ["prefix", "owner"],
  ),
  Port: ofArgs<Required<containers.PortArgs>>(
    containers.Port,
    { dockerHost: "unix:///docker.sock", port: 5432, address: "127.0.0.1" },
    ["port"],
  ),
  Password: ofArgs<Required<servers.PasswordArgs>>(servers.Password, { keeper: "1" }, ["result"]),
  Migrations: ofArgs<Required<databases.MigrationsArgs>>(
    databases.Migrations,
    { ...connection, folder: "migrations/shop", lint: true, adminUser: "postgres", adminPassword: "a-secret-password" },
    ["applied"],
  ),
  PoolerAccess: ofArgs<Required<databases.PoolerAccessArgs>>(
    databases.PoolerAccess,
    { ...connection, role: "pooler" },
    [],
  ),
  Seeds: ofArgs<Required<databases.SeedsArgs>>(
    databases.Seeds,
    { ...connection, folder: "migrations/shop", set: "dev" },
    ["applied"],
  ),
  Adoption: ofArgs<Required<databases.AdoptionArgs>>(
    databases.Adoption,
    {
      ...connection,
      owner: "ann",
      members: ["cid"],
      schema: "public",
      tables: { bob: "SELECT" },
      sequences: {},
      functions: {},
    },
    [],
  ),
  AdminMembership: ofArgs<Required<databases.AdminMembershipArgs>>(
    databases.AdminMembership,
    { ...connection, roles: ["shop_owner"] },
    [],
  ),
  ExtensionPrivileges: ofArgs<Required<databases.ExtensionPrivilegesArgs>>(
    databases.ExtensionPrivileges,
    { ...connection, extensions: { pg_cron: "" } },
    [],
  ),
  Jobs: ofArgs<Required<databases.JobsArgs>>(
    databases.Jobs,
    {
      ...connection,
      runIn: "shop",
      runAs: "shop_migrator",
      jobs: { tidy: '{"schedule":"0 3 * * *","command":"select 1"}' },
    },
    [],
  ),
  MonitoringSchema: ofArgs<Required<databases.MonitoringSchemaArgs>>(
    databases.MonitoringSchema,
    { ...connection, monitor: "monitor", owner: "shop_owner" },
    [],
  ),
  Partitions: ofArgs<Required<databases.PartitionsArgs>>(
    databases.Partitions,
    { ...connection, function: "public.ensure_partitions", monthsAhead: 3 },
    [],
  ),
};

function ofArgs<Args extends object>(
  type: new (name: string, args: Args) => pulumi.CustomResource,
  args: Args,
  outputs: string[],
) {
  return { args, declare: (name: string) => new type(name, args), outputs };
}

const registered = new Map<string, pulumi.runtime.MockResourceArgs>();
beforeAll(() =>
  pulumi.runtime.setMocks({
    newResource: (args) => {
      registered.set(args.name, args);
      return { id: args.name, state: args.inputs };
    },
    call: () => ({}),
  }),
);

describe("the package schema", () => {
  it("is what the plugin answers, and has exactly its resource types", async () => {
    expect(JSON.parse(await plugin.schema())).toEqual(JSON.parse(JSON.stringify(schema)));
    const former = Object.values(schema.resources).flatMap(({ aliases }) => aliases.map(({ type }) => type));
    expect([...Object.keys(schema.resources), ...former].sort()).toEqual(Object.keys(plugin.types).sort());
    for (const load of Object.values(plugin.types)) expect(await load()).toHaveProperty("create");
  });

  it.each(Object.entries(declared))("has all inputs and outputs of %s", async (name, { args, declare, outputs }) => {
    const spec = schema.resources[tokenOf(name as ResourceName)];
    const resource = declare(`all-of-${name}`);
    await new Promise((resolve) => resource.urn.apply(resolve));
    const { inputs, type } = registered.get(`all-of-${name}`) ?? {};
    expect(type).toBe(`pgroundwork:index:${name}`);
    expect(Object.keys(inputs).sort()).toEqual(Object.keys(args).sort());
    expect(Object.keys(spec?.inputProperties ?? {}).sort()).toEqual(Object.keys(args).sort());
    for (const required of spec?.requiredInputs ?? []) expect(args).toHaveProperty(required);
    for (const output of outputs) {
      expect(spec?.properties).toHaveProperty(output);
      expect(pulumi.Output.isInstance((resource as unknown as Record<string, unknown>)[output])).toBe(true);
    }
  });

  it("keeps every type of version 0.1.0, which a refresh or destroy before the first up asks for", async () => {
    const types = new Set<string>();
    for (const stack of ["local", "dev", "staging", "external"]) {
      const state = await readFile(new URL(`${versions}/0.1.0/${stack}/stack.json`, import.meta.url), "utf8");
      for (const [type] of state.matchAll(/pgroundwork:index:\w+/g)) types.add(type);
    }
    expect(types).toContain("pgroundwork:index:Takeover");
    expect([...types].filter((type) => !(type in plugin.types))).toEqual([]);
  });

  it("has exactly the plugin's functions, with all their arguments", async () => {
    expect(Object.keys(schema.functions).sort()).toEqual(Object.keys(plugin.functions ?? {}).sort());
    const spec = schema.functions[tokenOf("existingObjects")];
    const called = await plugin.functions?.[tokenOf("existingObjects")]?.();
    const args: Required<functions.ExistingObjectsArgs> = { ...connection, roles: ["ann"], databases: ["shop"] };
    expect(Object.keys(spec?.inputs.properties ?? {}).sort()).toEqual(Object.keys(args).sort());
    for (const required of spec?.inputs.required ?? []) expect(args).toHaveProperty(required);
    const secrets = Object.entries(spec?.inputs.properties ?? {}).filter(([, { secret }]) => secret);
    expect(called?.secretArguments).toEqual(secrets.map(([key]) => key));
  });

  it("marks all secret outputs of a resource type", async () => {
    const secrets: Record<string, readonly string[]> = {};
    for (const [token, load] of Object.entries(plugin.types)) {
      const { secretOutputs = [] } = await load();
      if (secretOutputs.length > 0) secrets[token.replace("pgroundwork:index:", "")] = secretOutputs;
    }
    expect(secrets).toEqual({
      AdminMembership: ["password"],
      BackupPassphrase: ["passphrase", "result", "former"],
      CertificateAuthority: ["privateKey"],
      ContainerServer: ["superuserPassword"],
      EmbeddedServer: ["superuserPassword"],
      EvidenceKey: ["privateKey"],
      ExtensionPrivileges: ["password"],
      Jobs: ["password"],
      Migrations: ["password", "adminPassword"],
      MonitoringSchema: ["password"],
      Partitions: ["password"],
      Password: ["result"],
      Ready: ["password"],
      PoolerAccess: ["password"],
      Seeds: ["password"],
      ServerCertificate: ["authorityKey", "privateKey"],
      Takeover: ["password"],
      Adoption: ["password"],
      VolumeFiles: ["files"],
    });
  });

  it("marks every password as a secret", () => {
    for (const { properties } of Object.values(schema.resources)) {
      const passwords = Object.entries(properties).filter(([key]) => /password$/i.test(key) || key === "result");
      for (const [key, property] of passwords) expect([key, property.secret]).toEqual([key, true]);
    }
  });
});
