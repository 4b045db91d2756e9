import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { withScratchContainer } from "../../../../scripts/docker/scratch-container.ts";
import { createBackup, listBackups, OperationError, restoreBackup, validateBackup } from "../../../../scripts/index.ts";
import { installPackage } from "../../../embedded/scripts/package/installed.ts";
import { makePulumiProject, type PulumiProject } from "../../../embedded/scripts/package/pulumi-project.ts";
import { faultsWithPackage } from "../../../embedded/scripts/package/upgrade.ts";
import { changedPaths, type Listing, listing } from "../../../support/listing.ts";
import { requireReadOnly } from "../../../support/package-account.ts";
import { committed } from "../../../unit/scripts/migrate/committed-folder.ts";
import { removeNamed } from "../../docker-objects.ts";
import { inEngine } from "../../in-engine.ts";
import { untagImages } from "../../stack.ts";

const stack = `t${randomBytes(3).toString("hex")}`;
const prefix = `acme-${stack}`;

/** Schedule that does not come due during a test. */
const never = "0 0 29 2 *";

interface Choices {
  /** Name of the first server, and its options. */
  first: { name: string; options: string };
  /** Options of the server that is managed as an external one. */
  shared: string;
}

/** A program with two servers in containers, one of them also as an external server, and a network of its own. */
const programOf = ({ first, shared }: Choices) => `import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { Backups, Database, DockerServer, ExternalServer, Monitoring } from "pgroundwork/pulumi";

const small = { memory: 512, maxConnections: 30 };
const platform = new pulumi.ComponentResource("acme:index:Platform", "platform");
const main = new DockerServer("${first.name}", { ...small, extensions: ["pg_cron"], backups: { retentionDays: 7 } }, ${first.options});
const orders = new Database("orders", { server: main });
const backups = new Backups("main-backups", { server: main, full: "${never}", incremental: "${never}" });
const { prometheus } = new Monitoring("main-monitoring", { server: main, backups });

const larger: pulumi.ResourceTransform = ({ type, props, opts }) =>
  type === "docker:index/container:Container" ? { props: { ...props, shmSize: 320 }, opts } : undefined;
const other = new DockerServer("other", small, { transforms: [larger] });
const shared = new ExternalServer("shared", {
  host: other.host,
  port: other.port,
  user: other.superuser.user,
  password: other.superuser.password,
  caCertificate: other.caCertificate,
}, ${shared});
const copy = new Database("orders-copy", { server: shared, name: "orders" });
const own = new docker.Network("own", { name: "${prefix}-own" });

export const urls = { orders: orders.url("app"), copy: copy.url("app") };
export const certificates = { orders: main.caCertificate, copy: other.caCertificate };
export const location = backups.location;
export const passphrase = backups.passphrase;
export const network = own.name;
export { prometheus };
`;

const original: Choices = { first: { name: "main", options: "{}" }, shared: "{}" };

let project: PulumiProject;
let secrets: string[] = [];

interface Outputs {
  urls: Record<"orders" | "copy", string>;
  certificates: Record<"orders" | "copy", string>;
  location: Parameters<typeof listBackups>[0];
  passphrase: string;
  prometheus: string;
}

let outputs: Outputs;

/** Flips a bit in the largest file of a backup. */
async function damageBackup({ image, owner, volumes }: Outputs["location"], label: string): Promise<void> {
  const script = `file=$(find /repository/backup/*/${label} -type f ! -name '*manifest*' -printf '%s %p\\n' | sort -n | tail -1 | cut -d ' ' -f 2-)
    at=$(( $(stat -c %s "$file") / 2 )) && byte=$(od -An -tu1 -j $at -N 1 "$file")
    printf "\\$(printf %o $((byte ^ 1)))" | dd of="$file" bs=1 seek=$at conv=notrunc`;
  const asRoot = { user: "0", capabilities: ["DAC_OVERRIDE"] };
  const spec = {
    image,
    owner,
    command: ["sh", "-c", script],
    ...asRoot,
    volumes: { "/repository": volumes.repository },
  };
  await withScratchContainer(dockerClient(), spec, async (container) => {
    await container.start();
    expect(await container.wait()).toMatchObject({ StatusCode: 0 });
  });
}

/** Returns the connection of an application to a database. */
function connectionTo(database: "orders" | "copy"): Connection {
  const { urls, certificates } = outputs;
  const { hostname: host, port, username: user, password, pathname } = new URL(urls[database]);
  const target = { host, port: Number(port), user, password, database: pathname.slice(1) };
  return { ...target, sslmode: "verify-full", ca: certificates[database] };
}

let packages: string;
let before: Listing;

beforeAll(async () => {
  packages = join((await installPackage()).workspace, "node_modules");
  await requireReadOnly(packages);
  before = await listing(packages);
  project = await makePulumiProject({ program: programOf(original), stack, layout: "workspace" });
  const migration = committed("create table a (x int);");
  await project.write(`migrations/orders/committed/${migration.filename}`, migration.text);
  const jobs = { tidy: { schedule: "0 3 * * *", command: "delete from a", optional: true } };
  await project.write("migrations/orders/database.json", JSON.stringify({ jobs }));
});
afterAll(async () => {
  await project?.remove();
  await removeNamed(prefix);
  await untagImages(prefix);
});

describe("the components for servers in containers, in a program of others", () => {
  it("up creates two servers with separate objects, and one database of the same name on each", async () => {
    const up = await project.pulumi("up --yes --skip-preview");
    outputs = JSON.parse(await project.pulumi("stack output --json --show-secrets"));
    const { urls, passphrase } = outputs;
    secrets = [passphrase, ...Object.values(urls).map((url) => new URL(url).password)];
    for (const secret of secrets) expect(up).not.toContain(secret);
    expect(up).toContain("[secret]");
    const objects = await inEngine(prefix, stack);
    for (const server of ["main", "other"])
      expect(objects).toEqual(
        expect.arrayContaining([`container ${prefix}-${server}-postgres`, `volume ${prefix}-${server}-data`]),
      );
    expect(objects).toContain(`network ${prefix}-own`);
    expect(await project.shell("git init --quiet && git status --porcelain --untracked-files=all")).not.toContain(
      ".pgroundwork",
    );
    const { HostConfig } = await dockerClient().getContainer(`${prefix}-other-postgres`).inspect();
    expect(HostConfig.ShmSize).toBe(320 * 2 ** 20);
    for (const database of ["orders", "copy"] as const) {
      const { rows } = await withClient(connectionTo(database), (client) => client.query("select count(*) from a"));
      expect(rows).toEqual([{ count: "0" }]);
    }
  });

  it("the location of the backups is all that a program without Pulumi needs to make and list them", async () => {
    const { location } = outputs;
    const made = await createBackup(location, { type: "full" });
    const { backups, findings } = await listBackups(location);
    expect(backups.map(({ label }) => label)).toContain(made.label);
    expect(findings.filter(({ level }) => level === "wrong")).toEqual([]);
    const to = { volume: `${prefix}-restored` };
    const restored = await restoreBackup(location, { to, target: { backup: made.label } });
    expect(restored).toMatchObject({ backup: made.label, unproven: [] });
    expect(restored).not.toHaveProperty("incompleteReason");
    expect(restored.databases.map(({ database }) => database)).toContain("orders");
    await dockerClient().getVolume(to.volume).remove();
  });

  it("a program validates a backup by restoring it, keeps nothing of the copy, and finds a damaged byte", async () => {
    const { location } = outputs;
    const label = (await listBackups(location)).backups[0]?.label ?? "";
    const before = await inEngine(prefix, stack);
    const passed = await validateBackup(location, { backup: label });
    expect(passed).toMatchObject({ state: "passed", reasons: [], restored: { backup: label } });
    await damageBackup(location, label);
    expect(await validateBackup(location, { backup: label })).toEqual({
      state: "failed",
      reasons: [expect.stringMatching(/^Cannot restore the backup \S+\. The backup is damaged: /)],
    });
    expect(await inEngine(prefix, stack)).toEqual(before);
    const { server } = location;
    const wrong = { ...location, server: `${server}-other`, volumes: { ...location.volumes, repository: "nothing" } };
    await expect(validateBackup(wrong)).rejects.toBeInstanceOf(OperationError);
  });

  it("monitoring scrapes the server and knows of its backups", async () => {
    const { prometheus } = outputs;
    const answer = await fetch(`${prometheus}/api/v1/query?query=pg_up`);
    expect(await answer.json()).toMatchObject({ status: "success" });
  });

  it("up changes nothing the second time, nor after a refresh, and shows no secret in plain text", async () => {
    await project.pulumi("refresh --yes --skip-preview --expect-no-changes");
    const preview = await project.pulumi("preview --json --expect-no-changes");
    const exported = await project.pulumi("stack export");
    for (const secret of secrets) {
      expect(exported).not.toContain(secret);
      expect(preview).not.toContain(secret);
    }
    expect(exported).toContain("ciphertext");
  });

  it("preview changes nothing if one server gets another name with an alias, and one a parent", async () => {
    const moved = "{ parent: platform, aliases: [{ parent: pulumi.rootStackResource }] }";
    const renamed = { name: "primary", options: '{ aliases: [{ name: "main" }] }' };
    await project.write("infra/program.ts", programOf({ first: renamed, shared: moved }));
    const { steps } = JSON.parse(await project.pulumi("preview --json")) as { steps: { op: string; urn: string }[] };
    const changes = steps.filter(({ op }) => op !== "same").map(({ op, urn }) => `${op} ${urn.split("::").at(-1)}`);
    expect(changes).toEqual([]);
    await project.write("infra/program.ts", programOf(original));
  });

  it("destroy removes the containers and keeps the volumes with data and backups", async () => {
    await project.pulumi("destroy --yes --skip-preview");
    const left = await inEngine(prefix, stack);
    expect(left).toEqual([
      `volume ${prefix}-main-backup`,
      `volume ${prefix}-main-data`,
      `volume ${prefix}-main-prometheus-data`,
      `volume ${prefix}-other-data`,
    ]);
  });

  it("images were built and plugins ran as a user who cannot write to node_modules, and nothing was written to it", async () => {
    expect(changedPaths(before, await listing(packages))).toEqual([]);
  });
});

it.each(["dev", "staging"] as const)(
  "a program with the package continues the stack %s of a checkout of the previous version",
  async (stack) => {
    expect(await faultsWithPackage(stack)).toEqual([]);
  },
);
