import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { dockerClient } from "../../../../scripts/docker/client.ts";
import { runInContainer } from "../../../../scripts/docker/run-in-container.ts";
import { withScratchContainer } from "../../../../scripts/docker/scratch-container.ts";
import type { BackupLocation } from "../../../../scripts/index.ts";
import { importPackage, type Kit } from "../../../embedded/scripts/package/entry-points.ts";
import { bin, type Installed, installPackage, nodeVersions } from "../../../embedded/scripts/package/installed.ts";
import {
  makePulumiProject,
  type PulumiProject,
  plainTraces,
} from "../../../embedded/scripts/package/pulumi-project.ts";
import { faultsWithPackage } from "../../../embedded/scripts/package/upgrade.ts";
import { codeBlocksOf } from "../../../support/code-blocks.ts";
import { changedPaths, type Listing, listing } from "../../../support/listing.ts";
import { requireReadOnly } from "../../../support/package-account.ts";
import { committed } from "../../../unit/scripts/migrate/committed-folder.ts";
import { removeNamed } from "../../docker-objects.ts";
import { inEngine } from "../../in-engine.ts";
import { prometheusAt } from "../../prometheus.ts";
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

/** The program of the package's page that declares a pooler and drills, for the database and schedule of the test. */
const page = codeBlocksOf("scripts/package/README.md").find(({ text }) => text.includes("new Pooler("));
const poolerAndDrill = (page?.text ?? "").replaceAll("shop", "orders").replace('"0 3 * * 0"', `"${never}"`);

/** A program with two servers in containers, one of them also as an external server, and a network of its own. */
const programOf = ({ first, shared }: Choices) => `import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { Backups, Database, DockerServer, ExternalServer, Monitoring } from "pgroundwork/pulumi";

${plainTraces}const small = { memory: 512, maxConnections: 30 };
void pulumi.log.info("runs on Node.js " + process.version);
const platform = new pulumi.ComponentResource("acme:index:Platform", "platform");
const server = new DockerServer("${first.name}", { ...small, extensions: ["pg_cron"], backups: { retentionDays: 7 } }, ${first.options});
const orders = new Database("orders", { server });
const backups = new Backups("main-backups", { server, full: "${never}", incremental: "${never}" });
${poolerAndDrill}
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
export const certificates = { orders: server.caCertificate, copy: other.caCertificate };
export const location = backups.location;
export const passphrase = backups.passphrase;
export const network = own.name;
export const containers = { pooler: pooler.container, drill: drill.container };
export const drilled = drill.location;
`;

const original: Choices = { first: { name: "main", options: "{}" }, shared: "{}" };

let project: PulumiProject;
let secrets: string[] = [];

interface Outputs {
  urls: Record<"orders" | "copy", string>;
  certificates: Record<"orders" | "copy", string>;
  location: BackupLocation;
  passphrase: string;
  prometheus: string;
  pooledUrl: string;
  containers: Record<"pooler" | "drill", string>;
  /** Location of the backups, with the plan of the drills. */
  drilled: BackupLocation;
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

/** Returns the connection of an application to a database: directly, or by another URL of the same server. */
function connectionTo(database: "orders" | "copy", url = outputs.urls[database]): Connection {
  const { certificates } = outputs;
  const { hostname: host, port, username: user, password, pathname } = new URL(url);
  const target = { host, port: Number(port), user, password, database: pathname.slice(1) };
  return { ...target, sslmode: "verify-full", ca: certificates[database] };
}

let kit: Kit;
let installed: Installed;
let packages: string;
let before: Listing;

/** Runs the engine. Program and plugins run on the oldest or newest release of Node.js, or on the checkout's own. */
function pulumiOn(release: "oldest" | "newest" | "checkout", args: string): Promise<string> {
  const [oldest, newest] = nodeVersions.map((each) => installed.node(each));
  return project.pulumi(args, { oldest, newest, checkout: bin }[release]);
}

beforeAll(async () => {
  installed = await installPackage();
  kit = await importPackage("");
  packages = join(installed.workspace, "node_modules");
  await requireReadOnly(packages);
  before = listing(packages);
  project = await makePulumiProject({ program: programOf(original), stack, layout: "workspace", cheap: true });
  const migration = committed("create table a (x int);");
  await project.write(`migrations/orders/committed/${migration.filename}`, migration.text);
  await project.write("migrations/orders/checks/010-negative.sql", "select x from a where x < 0");
  const jobs = { tidy: { schedule: "0 3 * * *", command: "delete from a", optional: true } };
  await project.write("migrations/orders/database.json", JSON.stringify({ jobs }));
});
afterAll(async () => {
  await project?.remove();
  await removeNamed(prefix);
  await untagImages(prefix);
});

describe("the components for servers in containers, in a program of others", () => {
  it("up creates two servers with separate objects, and one database of the same name on each, on the oldest Node.js", async () => {
    const up = await pulumiOn("oldest", "up --yes --skip-preview");
    expect(up).toContain(`runs on Node.js v${nodeVersions[0]}`);
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

  it("a second up with a refresh changes nothing on the newest Node.js", async () => {
    await pulumiOn("newest", "up --yes --skip-preview --refresh --expect-no-changes");
  });

  it("an application reaches its database through the pooler, whose exporter Prometheus scrapes", async () => {
    const { pooledUrl, containers, prometheus } = outputs;
    const pooled = connectionTo("orders", pooledUrl);
    const { rows } = await withClient(pooled, (client) => client.query("select count(*), current_user from a"));
    expect(rows).toEqual([{ count: "0", current_user: "orders_app" }]);
    const { NetworkSettings } = await dockerClient().getContainer(containers.pooler).inspect();
    expect(NetworkSettings.Ports["6432/tcp"]).toMatchObject([{ HostPort: String(pooled.port) }]);
    const { query } = prometheusAt(prometheus);
    for (const metric of ["pg_up", "pgbouncer_up"])
      await expect.poll(() => query(`${metric} == 1`), { timeout: 60_000 }).toHaveLength(1);
  });

  it("the location of the backups is all that a program without Pulumi needs to make, list and restore them", async () => {
    const { location } = outputs;
    const made = await kit.createBackup(location, { type: "full" });
    await kit.createRestorePoint(location, "packaged");
    const { backups, findings } = await kit.listBackups(location);
    expect(backups.map(({ label }) => label)).toContain(made.label);
    expect(findings.filter(({ level }) => level === "wrong")).toEqual([]);
    const { timelines, current } = await kit.backupWindow(location);
    const restorable = timelines.find(({ timeline }) => timeline === current)?.ranges.at(-1);
    expect(restorable?.backups).toContain(made.label);
    const to = { volume: `${prefix}-restored` };
    const restored = await kit.restoreBackup(location, { to, target: { restorePoint: "packaged" } });
    expect(restored).toMatchObject({ backup: made.label, unproven: [] });
    expect(restored).not.toHaveProperty("incompleteReason");
    expect(restored.databases.map(({ database }) => database)).toContain("orders");
    await dockerClient().getVolume(to.volume).remove();
  });

  it("a drill in the container passes with its checks, and says which could not run", async () => {
    const { containers, drilled } = outputs;
    const inDrill = (script: string) => {
      const newest = "cat $(ls /var/lib/pgroundwork/evidence/0*.json | tail -n 1)";
      return runInContainer(dockerClient(), containers.drill, { command: ["sh", "-c", `${script} >&2; ${newest}`] });
    };
    const passed = await inDrill("restore-drill");
    const evidence = JSON.parse(passed.stdout);
    expect(evidence.statement.drill, passed.stderr).toMatchObject({ outcome: "passed", reasons: [] });
    expect(evidence.statement.drill.databases).toContainEqual(
      expect.objectContaining({ database: "orders", checks: 1 }),
    );
    expect(await kit.drillBackupIfDue(drilled)).toMatchObject({ due: false, state: "current" });
    const misspelled = `sed 's|"orders"|"odrers"|' /etc/pgroundwork-drill/plan.json >/tmp/plan.json
      sed 's|^PLAN = .*|PLAN = "/tmp/plan.json"|' "$(command -v restore-drill)" | python3 -`;
    const incomplete = JSON.parse((await inDrill(misspelled)).stdout);
    const reasons = ["odrers: the copy has no such database, so its checks did not run"];
    expect(incomplete.statement.drill).toMatchObject({ outcome: "could not run", reasons });
  });

  it("a program drills and validates a backup by restoring it, keeps nothing of the copy, and finds a damaged byte", async () => {
    const { location } = outputs;
    const label = (await kit.listBackups(location)).backups[0]?.label ?? "";
    const before = await inEngine(prefix, stack);
    const drilled = await kit.drillBackup(location, { migrations: join(project.folder, "migrations") });
    expect(drilled).toMatchObject({ outcome: "passed", reasons: [], backup: label, findings: [] });
    expect(drilled.databases).toContainEqual(expect.objectContaining({ database: "orders", checks: 1 }));
    const monthly = {
      schedule: "0 3 1 * *",
      maxAgeSeconds: 62 * 86_400,
      checks: true,
      required: false,
      sidecar: false,
    };
    const again = await kit.drillBackupIfDue({ ...location, drill: monthly });
    expect(again).toMatchObject({ due: false, next: expect.stringMatching(/-01T03:00:00/) });
    const passed = await kit.validateBackup(location, { backup: label });
    expect(passed).toMatchObject({ state: "passed", reasons: [], restored: { backup: label } });
    await damageBackup(location, label);
    expect(await kit.validateBackup(location, { backup: label })).toEqual({
      state: "failed",
      reasons: [expect.stringMatching(/^Cannot restore the backup \S+\. The backup is damaged: /)],
    });
    expect(await inEngine(prefix, stack)).toEqual(before);
    const { server } = location;
    const wrong = { ...location, server: `${server}-other`, volumes: { ...location.volumes, repository: "nothing" } };
    await expect(kit.validateBackup(wrong)).rejects.toBeInstanceOf(kit.OperationError);
  });

  it("preview shows only new evidence of drills if a server gets another name with an alias, or a parent, and no secret", async () => {
    const moved = "{ parent: platform, aliases: [{ parent: pulumi.rootStackResource }] }";
    const renamed = { name: "primary", options: '{ aliases: [{ name: "main" }] }' };
    await project.write("infra/program.ts", programOf({ first: renamed, shared: moved }));
    const preview = await pulumiOn("checkout", "preview --json");
    const { steps } = JSON.parse(preview) as { steps: { op: string; urn: string }[] };
    const changes = steps.filter(({ op }) => op !== "same").map(({ op, urn }) => `${op} ${urn.split("::").at(-1)}`);
    expect(changes).toEqual(["update main-drill-newest"]);
    const exported = await project.pulumi("stack export");
    for (const secret of secrets) {
      expect(exported).not.toContain(secret);
      expect(preview).not.toContain(secret);
    }
    expect(exported).toContain("ciphertext");
    await project.write("infra/program.ts", programOf(original));
  });

  it("destroy removes the containers on the newest Node.js, and keeps the volumes with data and backups", async () => {
    await pulumiOn("newest", "destroy --yes --skip-preview");
    const left = await inEngine(prefix, stack);
    expect(left).toEqual([
      `volume ${prefix}-main-backup`,
      `volume ${prefix}-main-data`,
      `volume ${prefix}-main-drill-evidence`,
      `volume ${prefix}-main-prometheus-data`,
      `volume ${prefix}-other-data`,
    ]);
  });

  it("images were built and plugins ran as a user who cannot write to node_modules, and nothing was written to it", async () => {
    expect(changedPaths(before, listing(packages))).toEqual([]);
  });
});

it("a program with the package continues the stack staging of a checkout of the previous version", async () => {
  expect(await faultsWithPackage("staging")).toEqual([]);
});
