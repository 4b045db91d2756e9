import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  archiveSettings,
  backupEnvironment,
  backupFiles,
  needsNetwork,
  type PlannedRepository,
} from "../../../../infra/plan/backups.ts";
import { cloneRoot } from "../../../clone-root.ts";

const volume: PlannedRepository = { type: "volume", retentionDays: 30 };
const bucket: PlannedRepository = {
  ...{ type: "s3", retentionDays: 90, endpoint: "s3.example.com", region: "us-east-1", bucket: "b", path: "/shop" },
  ...{ uriStyle: "path", key: "AKIA0", keySecret: "opensesame", ca: "-----BEGIN CERTIFICATE-----" },
};
const sftp: PlannedRepository = {
  ...{ type: "sftp", retentionDays: 30, host: "h", port: 23, user: "u", path: "/shop" },
  ...{
    hostFingerprint: "SHA256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    privateKey: "a key",
    privateKeyPassphrase: "open",
  },
};
const azure: PlannedRepository = {
  ...{ type: "azure", retentionDays: 30, account: "a", container: "c", path: "/shop", endpoint: "e:1" },
  ...{ uriStyle: "path", key: "YWJjZA==", ca: "-----BEGIN CERTIFICATE-----" },
};
const gcs: PlannedRepository = {
  ...{ type: "gcs", retentionDays: 30, bucket: "b", path: "/shop", endpoint: "storage.googleapis.com", key: "{}" },
};

const keys = { current: 1, passphrase: "a-passphrase", former: {} };

/** Returns the values of a repository's options in a file. */
function optionsOf(file = "", index: number): Record<string, string> {
  const pattern = new RegExp(`^repo${index}-([\\w-]+)=(.*)$`, "gm");
  return Object.fromEntries([...file.matchAll(pattern)].map(([, name, value]) => [name, value]));
}

describe("pgBackRest's configuration", () => {
  it("is the same for a volume as in 0.1.0, so that no server restarts", () => {
    expect(backupFiles(keys, [volume])).toEqual({
      "pgbackrest.conf": `# Written by pgroundwork.
[global]
repo1-path=/var/lib/pgbackrest
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass=a-passphrase
repo1-retention-full-type=time
repo1-retention-full=30
repo1-bundle=y
repo1-block=y
compress-type=zst
compress-level=3
process-max=2
start-fast=y
spool-path=/var/spool/pgbackrest
log-level-console=warn
log-level-file=off

# Not for archive-get, which can fail across a timeline switch if it is asynchronous.
[global:archive-push]
archive-async=y

[main]
pg1-path=/var/lib/postgresql/17/data
pg1-socket-path=/var/run/postgresql
pg1-user=backup
pg1-database=postgres
`,
    });
    expect(backupEnvironment(1)).toEqual([
      "PGBACKREST_CONFIG=/etc/pgroundwork/pgbackrest.conf",
      "PGBACKREST_STANZA=main",
      expect.stringMatching(/^PGOPTIONS=/),
    ]);
    expect(needsNetwork([volume])).toBe(false);
  });

  it("has the bucket, its keys and the path of its CA file", () => {
    const files = backupFiles(keys, [bucket]);
    expect(Object.keys(files)).toEqual(["pgbackrest.conf", "tls/repository-1-ca.crt"]);
    expect(optionsOf(files["pgbackrest.conf"], 1)).toMatchObject({
      ...{ type: "s3", path: "/shop", "s3-endpoint": "s3.example.com", "s3-bucket": "b", "s3-uri-style": "path" },
      ...{ "s3-region": "us-east-1", "s3-key": "AKIA0", "s3-key-secret": "opensesame", "retention-full": "90" },
      ...{ "storage-ca-file": "/etc/pgroundwork/tls/repository-1-ca.crt", "cipher-pass": "a-passphrase" },
    });
    expect(needsNetwork([bucket])).toBe(true);
  });

  it("has an SFTP server whose host key is always verified, and its private key as a file", () => {
    const files = backupFiles(keys, [volume, sftp]);
    expect(Object.keys(files)).toEqual(["pgbackrest.conf", "pgbackrest-2.conf", "keys/repository-2"]);
    expect(files["keys/repository-2"]).toBe("a key\n");
    const options = optionsOf(files["pgbackrest-2.conf"], 1);
    expect(options).toMatchObject({
      ...{ type: "sftp", path: "/shop", "sftp-host": "h", "sftp-host-port": "23", "sftp-host-user": "u" },
      ...{ "sftp-private-key-file": "/etc/pgroundwork/keys/repository-2", "sftp-private-key-passphrase": "open" },
      ...{ "sftp-host-key-check-type": "fingerprint", "sftp-host-key-hash-type": "sha256" },
      "sftp-host-fingerprint": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    });
    expect(files["pgbackrest-2.conf"]).not.toContain("a key");
    const { hostFingerprint: _, ...others } = sftp;
    const known = backupFiles(keys, [{ ...others, knownHosts: "h ssh-ed25519 AAAA" }]);
    expect(known["keys/repository-1-known-hosts"]).toBe("h ssh-ed25519 AAAA\n");
    expect(optionsOf(known["pgbackrest.conf"], 1)).toMatchObject({
      ...{ "sftp-host-key-check-type": "strict", "sftp-known-host": "/etc/pgroundwork/keys/repository-1-known-hosts" },
    });
  });

  it("has the container of Azure with a key or a signature, and its CA file", () => {
    const files = backupFiles(keys, [azure]);
    expect(files["tls/repository-1-ca.crt"]).toBe("-----BEGIN CERTIFICATE-----");
    expect(optionsOf(files["pgbackrest.conf"], 1)).toMatchObject({
      ...{ type: "azure", path: "/shop", "azure-account": "a", "azure-container": "c", "azure-endpoint": "e:1" },
      ...{ "azure-uri-style": "path", "azure-key-type": "shared", "azure-key": "YWJjZA==" },
      "storage-ca-file": "/etc/pgroundwork/tls/repository-1-ca.crt",
    });
    const { key: _, ...others } = azure;
    const signed = backupFiles(keys, [{ ...others, sas: "sv=1&sig=2" }])["pgbackrest.conf"];
    expect(optionsOf(signed, 1)).toMatchObject({ "azure-key-type": "sas", "azure-key": "sv=1&sig=2" });
  });

  it("has the bucket of GCS, and its service account's key as a file", () => {
    const files = backupFiles(keys, [gcs]);
    expect(files["keys/repository-1"]).toBe("{}");
    expect(optionsOf(files["pgbackrest.conf"], 1)).toMatchObject({
      ...{ type: "gcs", path: "/shop", "gcs-bucket": "b", "gcs-endpoint": "storage.googleapis.com" },
      ...{ "gcs-key-type": "service", "gcs-key": "/etc/pgroundwork/keys/repository-1" },
    });
  });

  it.each([bucket, sftp, azure, gcs])(
    "reaches a repository of the type $type through a network, for a limited time",
    (each) => {
      expect(needsNetwork([volume, each])).toBe(true);
      expect(backupFiles(keys, [each])["pgbackrest.conf"]).toMatch(/^io-timeout=5$[\s\S]*^archive-timeout=10$/m);
      expect(archiveSettings([each], 50).archive_command).toContain("repository-owner --recent");
    },
  );

  it("has one repository in each file, and the first one's does not depend on the second", () => {
    const files = backupFiles(keys, [volume, bucket]);
    expect(files["pgbackrest.conf"]).toBe(backupFiles(keys, [volume])["pgbackrest.conf"]);
    const second = files["pgbackrest-2.conf"];
    expect(optionsOf(second, 1)).toMatchObject({ type: "s3", "retention-full": "90" });
    expect(second).toContain("\nspool-path=/var/spool/pgbackrest/2\nlock-path=/tmp/pgbackrest-2\n");
    expect(files["tls/repository-2-ca.crt"]).toBe("-----BEGIN CERTIFICATE-----");
    expect(backupEnvironment(2)).toContain("PGBACKREST_CONFIG=/etc/pgroundwork/pgbackrest-2.conf");
    expect(backupEnvironment(2)).toContain("PGW_REPOSITORY=2");
    expect(backupEnvironment(1)).not.toContain("PGW_REPOSITORY=1");
  });

  it("has a folder and a passphrase of its own for each generation, and the usual file for the current one", () => {
    const rotated = { current: 3, passphrase: "third", former: { 1: "first", 2: "second" } };
    const files = backupFiles(rotated, [volume, bucket]);
    const places = Object.entries(files).flatMap(([name, text]) => {
      const { path, "cipher-pass": passphrase } = optionsOf(text, 1);
      const [spool, lock] = ["spool", "lock"].map((what) => new RegExp(`^${what}-path=(.*)$`, "m").exec(text)?.[1]);
      return path === undefined ? [] : [[name, path, passphrase, spool, lock ?? "default"].join(" ")];
    });
    const [spool, lock] = ["/var/spool/pgbackrest", "/tmp/pgbackrest"];
    expect(places).toEqual([
      `pgbackrest.conf /var/lib/pgbackrest/generation-3 third ${spool} default`,
      `pgbackrest-generation-1.conf /var/lib/pgbackrest first ${spool}/1-generation-1 ${lock}-1-generation-1`,
      `pgbackrest-generation-2.conf /var/lib/pgbackrest/generation-2 second ${spool}/1-generation-2 ${lock}-1-generation-2`,
      `pgbackrest-2.conf /shop/generation-3 third ${spool}/2 ${lock}-2`,
      `pgbackrest-2-generation-1.conf /shop first ${spool}/2-generation-1 ${lock}-2-generation-1`,
      `pgbackrest-2-generation-2.conf /shop/generation-2 second ${spool}/2-generation-2 ${lock}-2-generation-2`,
    ]);
  });

  it("archives into a former generation only if it is needed and its passphrase is known", () => {
    const programs = mkdtempSync(join(tmpdir(), "generations-"));
    const program = (name: string, script: string) => {
      writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(programs, name), 0o755);
    };
    const command = (archiveSettings([volume], 50, 3).archive_command ?? "")
      .replaceAll("/etc/pgroundwork", programs)
      .replaceAll("%f", "SEGMENT");
    const run = () => {
      const { status, stdout } = spawnSync("sh", ["-c", command], {
        ...{ env: { PATH: `${programs}:/usr/bin:/bin` }, encoding: "utf8" },
      });
      return [status, ...stdout.replaceAll(programs, "").trim().split("\n")];
    };
    try {
      program("pgbackrest", 'echo "$1"; exit 5');
      // The image cannot tell.
      for (const file of ["pgbackrest-generation-1.conf", "pgbackrest-generation-2.conf"])
        writeFileSync(join(programs, file), "");
      const pushed = (file: string) => `--config=/${file}`;
      const [first, second, current] = ["-generation-1", "-generation-2", ""].map((name) =>
        pushed(`pgbackrest${name}.conf`),
      );
      expect(run()).toEqual([5, first, second, current]);
      program("pgbackrest", 'echo "$1"');
      expect(run()).toEqual([0, first, second, current]);
      program("repository-generation", 'case "$*" in *" 2="*) exit 1;; esac');
      expect(run()).toEqual([0, second, current]);
      program("pgbackrest", 'echo "$1"; case $1 in *-2.conf) exit 5;; esac');
      expect(run()).toEqual([5, second, current]);
      rmSync(join(programs, "pgbackrest-generation-2.conf"));
      expect(run()).toEqual([0, current]);
      program("repository-generation", 'echo "$*"; exit 1');
      writeFileSync(join(programs, "pgbackrest-generation-2.conf"), "");
      expect(run().slice(1, 3)).toEqual([
        "needs SEGMENT 2=/pgbackrest-generation-2.conf 3=/pgbackrest.conf",
        "needs SEGMENT 3=/pgbackrest.conf",
      ]);
    } finally {
      rmSync(programs, { recursive: true });
    }
  });

  it("archives into a bucket unless a newer server owns it, and also if that is not known or the image cannot tell", () => {
    const command = archiveSettings([bucket], 50).archive_command ?? "";
    const programs = mkdtempSync(join(tmpdir(), "archive-command-"));
    const program = (name: string, script: string) => {
      writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(programs, name), 0o755);
    };
    const run = () =>
      spawnSync("sh", ["-c", command], { env: { PATH: `${programs}:/usr/bin:/bin` }, encoding: "utf8" });
    try {
      program("pgbackrest", "echo pushed");
      expect(run()).toMatchObject({ status: 0, stdout: "pushed\n" });
      for (const code of [0, 1, 49]) {
        program("repository-owner", `exit ${code}`);
        expect(run()).toMatchObject({ status: 0, stdout: "pushed\n" });
      }
      program("repository-owner", 'echo "$PGBACKREST_CONFIG $1" >&2; exit 3');
      const refused = { status: 1, stdout: "", stderr: "/etc/pgroundwork/pgbackrest.conf --recent\n" };
      expect(run()).toMatchObject(refused);
      expect(archiveSettings([volume], 50).archive_command).not.toContain("repository-owner");
    } finally {
      rmSync(programs, { recursive: true });
    }
  });

  it("makes PostgreSQL keep a segment until both repositories have it", () => {
    const push = (file: string, spool: string) =>
      `pgbackrest --config=/etc/pgroundwork/${file} --stanza=main $(command -v wal-limit >/dev/null && wal-limit 50 ${spool}) archive-push %p`;
    const [first, second] = [
      push("pgbackrest.conf", "/var/spool/pgbackrest"),
      push("pgbackrest-2.conf", "/var/spool/pgbackrest/2"),
    ];
    expect(archiveSettings([volume], 50).archive_command).toBe(first);
    const both = archiveSettings([volume, volume], 50).archive_command ?? "";
    const run = (firstCode: number, secondCode: number) => {
      // Prints the results that the command removes.
      const command = both
        .replace(first, `sh -c 'exit ${firstCode}'`)
        .replace(second, `sh -c 'exit ${secondCode}'`)
        .replaceAll("rm -f", "echo");
      const { status, stdout } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
      return [status, stdout.trim()];
    };
    const [ofFirst, ofSecond] = ["", "/2"].map((folder) => `/var/spool/pgbackrest${folder}/archive/main/out/%f.ok`);
    expect(run(0, 0)).toEqual([0, ""]);
    expect(run(3, 0)).toEqual([3, ofSecond]);
    expect(run(0, 4)).toEqual([4, ofFirst]);
    expect(run(3, 4)).toEqual([3, `${ofFirst}\n${ofSecond}`]);
  });

  it("limits the WAL that waits by the size of the volume, if the image can tell", () => {
    const programs = mkdtempSync(join(tmpdir(), "wal-limit-"));
    const program = (name: string, script: string) => {
      writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(programs, name), 0o755);
    };
    const path = { PATH: `${programs}:/usr/bin:/bin` };
    const pushed = (percent: number) => {
      const command = archiveSettings([volume], percent).archive_command ?? "";
      return spawnSync("sh", ["-c", command.replace("%p", "SEGMENT")], { env: path, encoding: "utf8" }).stdout;
    };
    const limit = (percent: number, spool = programs) =>
      spawnSync("sh", [join(cloneRoot, "infra/images/postgres/bin/wal-limit"), String(percent), spool], {
        ...{ env: { ...path, PGDATA: programs }, encoding: "utf8" },
      }).stdout.trim();
    try {
      program("pgbackrest", 'echo "$3 $4"');
      expect(pushed(50)).toBe("archive-push SEGMENT\n");
      program("wal-limit", 'echo "--limit=$1,$2"');
      expect(pushed(40)).toBe("--limit=40,/var/spool/pgbackrest archive-push\n");

      const status = join(programs, "pg_wal/archive_status");
      mkdirSync(status, { recursive: true });
      // 1,000 blocks of 1 MB are free, and 25 segments of 16 MiB wait.
      program("stat", 'echo "1000 * 1048576"');
      for (let each = 0; each < 25; each += 1) writeFileSync(join(status, `${each}.ready`), "");
      writeFileSync(join(status, "0.done"), "");
      expect(limit(50)).toBe("");
      const results = join(programs, "archive/main/out");
      mkdirSync(results, { recursive: true });
      // The last attempt did not fail.
      expect(limit(50)).toBe(`--archive-push-queue-max=${1_050 * 2 ** 20}`);
      writeFileSync(join(results, "global.error"), "");
      expect(limit(50)).toBe(`--archive-push-queue-max=${700 * 2 ** 20}`);
      expect(limit(10)).toBe(`--archive-push-queue-max=${140 * 2 ** 20}`);
      expect(limit(1)).toBe(`--archive-push-queue-max=${64 * 2 ** 20}`);
      expect(limit(100)).toBe("");
      program("stat", "exit 1");
      expect(limit(50)).toBe("");
    } finally {
      rmSync(programs, { recursive: true });
    }
  });
});
