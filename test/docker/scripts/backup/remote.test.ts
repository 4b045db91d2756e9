import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { Restored } from "../../../../scripts/backup/restore/restore.ts";
import { AzureServer, hasAzureServer } from "../../azure/azure-server.ts";
import { type BackedUpShop, makeBackedUpShop, never, shopTables } from "../../backed-up-shop.ts";
import { setSecret } from "../../s3/bucket-shop.ts";
import { SftpServer } from "../../sftp/sftp-server.ts";

/** Writes the settings of a stack with one remote repository. `secrets` are encrypted. */
async function configure(
  shop: BackedUpShop,
  repository: Readonly<Record<string, unknown>>,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  const backups = { full: never, incremental: never, repositories: [repository] };
  await shop.configure({ ...shop.settings, backups });
  for (const [name, value] of Object.entries(secrets)) await setSecret(shop, `backups.repositories[0].${name}`, value);
}

/** Returns what a command that has to fail prints. */
async function failure(shop: BackedUpShop, ...command: string[]): Promise<string> {
  const { code, stderr } = await shop.pgw(...command);
  expect(code).toBe(1);
  return stderr;
}

/** Brings a stack up, lists its backup, and restores it into a folder. */
async function expectRestorable(shop: BackedUpShop): Promise<void> {
  await shop.succeed("up");
  await shop.until("the first backup", async () => (await shop.list()).found.backups.length === 1);
  const { code, found } = await shop.list();
  expect(found).toMatchObject({ findings: [], backups: [{ type: "full", databases: ["postgres", "shop"] }] });
  expect(code).toBe(0);
  await shop.sql("insert into product (id, name, price) select g, 'p' || g, 1 from generate_series(1001, 5000) g");
  const folder = join(inject("scratch"), `restored-${shop.stack}`);
  const { stdout } = await shop.succeed("backup", "restore", "--to", folder, "--json");
  await rm(folder, { recursive: true });
  expect(shopTables((JSON.parse(stdout) as Restored).databases)).toEqual(await shop.tables());
}

/** Lets a repository be away while WAL is written, and expects the WAL there after its return. */
async function expectCatchUp(shop: BackedUpShop, server: Pick<SftpServer, "leave" | "return">): Promise<void> {
  await server.leave();
  await shop.sql("create table moved ()", "drop table moved", "select pg_switch_wal()");
  const { problem, waiting } = JSON.parse((await shop.inSidecar("archive-lag")).stdout);
  expect(problem).toContain("unable to connect to");
  expect(waiting.segments).toBeGreaterThan(0);
  await server.return();
  const lag = async () => {
    await shop.sql("select pg_reload_conf()");
    return (await shop.list()).found.lag;
  };
  const current = { known: true, waitingSegments: 0, lostSegments: 0, unanswered: null };
  await expect.poll(lag, { timeout: 240_000, interval: 1_000 }).toMatchObject(current);
  await shop.succeed("backup", "create");
  expect(await shop.list()).toMatchObject({ code: 0, text: "" });
}

/** Expects secrets in no container's configuration or log, and not in the state or the settings. */
async function expectHidden(shop: BackedUpShop, ...secrets: string[]): Promise<void> {
  const { stdout } = await shop.clone.shell(
    `cat Pulumi.${shop.stack}.yaml .pgroundwork/.pulumi/stacks/*/${shop.stack}.json; docker logs ${shop.sidecar} 2>&1; docker logs ${shop.server} 2>&1`,
  );
  const inspected = JSON.stringify([await shop.inspected(), await shop.inspected("backup")]);
  expect(stdout).toContain("backup-scheduler");
  for (const secret of secrets) expect(stdout + inspected).not.toContain(secret);
}

describe("backups on an SFTP server", () => {
  const sftp = new SftpServer();
  let shop: BackedUpShop;
  let repository: Record<string, unknown>;

  beforeAll(async () => {
    await sftp.start();
    shop = await makeBackedUpShop();
    const { host, port, user } = sftp;
    repository = { type: "sftp", host, port, user, path: `${sftp.folder}/shop` };
  });
  afterAll(() => sftp.stop());

  it("are refused with the server's fingerprint if its host key is not the expected one", async () => {
    const hostFingerprint = `SHA256:${"A".repeat(43)}`;
    await configure(shop, { ...repository, hostFingerprint }, { privateKey: sftp.privateKey });
    const refused = await failure(shop, "up");
    expect(refused).toContain("The host key of the SFTP server is not the expected one");
    expect(refused).toContain(sftp.hostFingerprint);
    expect(await sftp.run(`ls ${sftp.folder}`)).toBe("");
  });

  it("are refused if the server is known, and does not know the private key", async () => {
    await configure(shop, { ...repository, knownHosts: sftp.knownHosts }, { privateKey: sftp.otherKey });
    expect(await failure(shop, "up")).toContain("The SFTP server refuses the private key");
  });

  it("can be listed and restored with every row", async () => {
    const { hostFingerprint } = sftp;
    await configure(shop, { ...repository, hostFingerprint }, { privateKey: sftp.privateKey });
    await expectRestorable(shop);
    const kept = await sftp.run(`head -c 8 ${sftp.folder}/shop/backup/main/backup.info`);
    expect(kept).toBe("Salted__");
  });

  it("keep the private key in a file that only postgres can read, and nowhere else", async () => {
    const key = "/etc/pgroundwork/keys/repository-1";
    for (const run of [shop.inServer, shop.inSidecar])
      expect((await run("stat", "-c", "%a %U", key)).stdout).toBe("600 postgres\n");
    await expectHidden(shop, ...sftp.privateKey.split("\n").slice(1, -2));
  });

  it("continue when the server was away and is back", () => expectCatchUp(shop, sftp));
});

describe.skipIf(!hasAzureServer)("backups in Azure (needs the emulator that .ci/azure-server installs)", () => {
  const azure = new AzureServer();
  const container = "backups";
  let shop: BackedUpShop;
  let repository: Record<string, unknown>;

  beforeAll(async () => {
    await azure.start();
    shop = await makeBackedUpShop();
    const { account, endpoint } = azure;
    repository = {
      type: "azure",
      account,
      container,
      endpoint,
      path: "/shop",
      uriStyle: "path",
      caFile: "azure-ca.pem",
    };
    await shop.clone.write("azure-ca.pem", await readFile(azure.caFile, "utf8"));
  });
  afterAll(() => azure.stop());

  it("are refused if the container does not exist, or the key is wrong", async () => {
    await configure(shop, repository, { key: azure.key });
    expect(await failure(shop, "up")).toContain("The bucket or container does not exist.");
    await azure.createContainer(container);
    await setSecret(shop, "backups.repositories[0].key", Buffer.from("wrong").toString("base64"));
    expect(await failure(shop, "up")).toContain("The repository's service refuses the key");
  });

  it("can be listed and restored with every row, with a shared access signature", async () => {
    const sas = azure.signature();
    await configure(shop, repository, { sas });
    await expectRestorable(shop);
    await expectHidden(shop, sas.replace(/^.*sig=/, ""));
  });

  it("continue when the endpoint was away and is back", () => expectCatchUp(shop, azure));
});
