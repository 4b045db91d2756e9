import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { plugin } from "../../../../../infra/provider/plugin.ts";
import { schema } from "../../../../../infra/provider/schema/schema.ts";
import * as sdk from "../../../../../infra/provider/sdk.ts";
import { functionToken, type ResourceName, resourceToken } from "../../../../../infra/provider/token.ts";

const connection: Required<sdk.ConnectionArgs> = {
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
  EmbeddedServer: ofArgs<Required<sdk.EmbeddedServerArgs>>(
    sdk.EmbeddedServer,
    {
      ...{ port: 5432, dataDirectory: "/data", server: "main" },
      ...{ superuserPassword: "a-secret-password", settings: { work_mem: "4MB" } },
    },
    ["host", "port", "dataDirectory", "logDirectory", "version", "pid"],
  ),
  Ready: ofArgs<Required<sdk.ReadyArgs>>(
    sdk.Ready,
    { ...connection, trigger: 1, timeoutSeconds: 60, logDirectory: "/log" },
    ["host", "port", "serverVersion"],
  ),
  CertificateAuthority: ofArgs<Required<sdk.CertificateAuthorityArgs>>(
    sdk.CertificateAuthority,
    { commonName: "shop dev", keeper: "1", validityDays: 3650, renewBeforeDays: 365 },
    ["certificate", "privateKey", "trustBundle", "notAfter"],
  ),
  ServerCertificate: ofArgs<Required<sdk.ServerCertificateArgs>>(
    sdk.ServerCertificate,
    {
      authorityCertificate: "PEM",
      authorityKey: "a-secret-key",
      hosts: ["127.0.0.1"],
      validityDays: 365,
      renewBeforeDays: 60,
    },
    ["certificate", "privateKey", "notAfter", "fingerprint"],
  ),
  VolumeFiles: ofArgs<Required<sdk.VolumeFilesArgs>>(
    sdk.VolumeFiles,
    { dockerHost: "unix:///docker.sock", image: "sha256:0", volume: "shop-config", files: { "a.conf": "a-secret" } },
    ["revision"],
  ),
  ServerSettings: ofArgs<Required<sdk.ServerSettingsArgs>>(
    sdk.ServerSettings,
    {
      ...{ dockerHost: "unix:///docker.sock", image: "sha256:0", settings: { work_mem: "4MB" } },
      ...{ memoryMb: 1024, shmSizeMb: 64, container: "shop" },
    },
    ["text"],
  ),
  ContainerServer: ofArgs<Required<sdk.ContainerServerArgs>>(
    sdk.ContainerServer,
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
  ContainerLimits: ofArgs<Required<sdk.ContainerLimitsArgs>>(
    sdk.ContainerLimits,
    { dockerHost: "unix:///docker.sock", container: "shop-postgres", containerId: "0", processes: 249 },
    [],
  ),
  ContainerProcess: ofArgs<Required<sdk.ContainerProcessArgs>>(
    sdk.ContainerProcess,
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
  BackupPassphrase: ofArgs<Required<sdk.BackupPassphraseArgs>>(
    sdk.BackupPassphrase,
    { dockerHost: "unix:///docker.sock", image: "sha256:0", volume: "shop-data" },
    ["result"],
  ),
  BackupStanza: ofArgs<Required<sdk.BackupStanzaArgs>>(
    sdk.BackupStanza,
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
  DockerNames: ofArgs<Required<sdk.DockerNamesArgs>>(
    sdk.DockerNames,
    { dockerHost: "unix:///docker.sock", server: "main" },
    ["prefix", "owner"],
  ),
  Port: ofArgs<Required<sdk.PortArgs>>(
    sdk.Port,
    { dockerHost: "unix:///docker.sock", port: 5432, address: "127.0.0.1" },
    ["port"],
  ),
  Password: ofArgs<Required<sdk.PasswordArgs>>(sdk.Password, { keeper: "1" }, ["result"]),
  Migrations: ofArgs<Required<sdk.MigrationsArgs>>(
    sdk.Migrations,
    { ...connection, folder: "migrations/shop", lint: true, adminUser: "postgres", adminPassword: "a-secret-password" },
    ["applied"],
  ),
  Seeds: ofArgs<Required<sdk.SeedsArgs>>(sdk.Seeds, { ...connection, folder: "migrations/shop", set: "dev" }, [
    "applied",
  ]),
  Takeover: ofArgs<Required<sdk.TakeoverArgs>>(
    sdk.Takeover,
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
  AdminMembership: ofArgs<Required<sdk.AdminMembershipArgs>>(
    sdk.AdminMembership,
    { ...connection, roles: ["shop_owner"] },
    [],
  ),
  ExtensionPrivileges: ofArgs<Required<sdk.ExtensionPrivilegesArgs>>(
    sdk.ExtensionPrivileges,
    { ...connection, extensions: { pg_cron: "" } },
    [],
  ),
  Jobs: ofArgs<Required<sdk.JobsArgs>>(
    sdk.Jobs,
    {
      ...connection,
      runIn: "shop",
      runAs: "shop_migrator",
      jobs: { tidy: '{"schedule":"0 3 * * *","command":"select 1"}' },
    },
    [],
  ),
  Partitions: ofArgs<Required<sdk.PartitionsArgs>>(
    sdk.Partitions,
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
    expect(Object.keys(schema.resources).sort()).toEqual(Object.keys(plugin.types).sort());
    for (const load of Object.values(plugin.types)) expect(await load()).toHaveProperty("create");
  });

  it.each(Object.entries(declared))("has all inputs and outputs of %s", async (name, { args, declare, outputs }) => {
    const spec = schema.resources[resourceToken(name as ResourceName)];
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

  it("has exactly the plugin's functions, with all their arguments", async () => {
    expect(Object.keys(schema.functions).sort()).toEqual(Object.keys(plugin.functions ?? {}).sort());
    const spec = schema.functions[functionToken("existingObjects")];
    const called = await plugin.functions?.[functionToken("existingObjects")]?.();
    const args: Required<sdk.ExistingObjectsArgs> = { ...connection, roles: ["ann"], databases: ["shop"] };
    expect(Object.keys(spec?.inputs.properties ?? {}).sort()).toEqual(Object.keys(args).sort());
    for (const required of spec?.inputs.required ?? []) expect(args).toHaveProperty(required);
    const secrets = Object.entries(spec?.inputs.properties ?? {}).filter(([, { secret }]) => secret);
    expect(called?.secretArguments).toEqual(secrets.map(([key]) => key));
  });

  it("marks every password as a secret", () => {
    for (const { properties } of Object.values(schema.resources)) {
      const passwords = Object.entries(properties).filter(([key]) => /password$/i.test(key) || key === "result");
      for (const [key, property] of passwords) expect([key, property.secret]).toEqual([key, true]);
    }
  });
});
