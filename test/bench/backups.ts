import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type Docker from "dockerode";
import { specOf } from "../../scripts/backup/restore/scratch-server.ts";
import { paths, type StackBackups, stanza } from "../../scripts/backup/stack-backups.ts";
import { dockerClient } from "../../scripts/docker/client.ts";
import { runInContainer } from "../../scripts/docker/run-in-container.ts";
import { withScratchContainer } from "../../scripts/docker/scratch-container.ts";
import { removeNamed } from "../docker/docker-objects.ts";
import { hasS3Server, S3Server } from "../docker/s3/s3-server.ts";
import { DevStack } from "./dev-stack.ts";
import { describeTimes, type Measurement, median, timed } from "./measurement.ts";

const pairs = 3;
const database = "trading";
/** Rows of about 1 kB that do not compress, so that the repository is as large as the database. */
const rows = 1_000_000;
const never = "0 0 29 2 *";
const bucket = "bench";
const pgbenchSeconds = 20;

/** Measures backups of a gigabyte: drill, restore, snapshot, and what archiving to two repositories costs writers. */
export async function benchBackups(scratch: string): Promise<Measurement[]> {
  const docker = dockerClient();
  const stack = await DevStack.make(join(scratch, "backups"));
  const s3 = new S3Server();
  try {
    await stack.configure("  pgroundwork:memory: 1024");
    await stack.up();
    await fill(docker, stack);
    const snapshot = await measureSnapshot(docker, stack);
    const none = await transactionsPerSecond(docker, stack);
    await addRepositories(stack, s3);
    await stack.up();
    await stack.pgw("backup", "create", "--type", "full");
    const two = await transactionsPerSecond(docker, stack);
    await stack.pgw("backup", "create", "--type", "full");
    return [
      await measureDrill(stack),
      await measureRestore(docker, stack),
      snapshot,
      {
        what: hasS3Server ? "backups: writes with two repositories (volume, S3)" : "backups: writes with a repository",
        here: `${two.toFixed(0)} transactions/s`,
        against: `no backups: ${none.toFixed(0)} transactions/s`,
        ratio: two / none,
        target: "",
        met: true,
      },
    ];
  } finally {
    await removeNamed(stack.prefix);
    await s3.stop();
  }
}

async function addRepositories(stack: DevStack, s3: S3Server): Promise<void> {
  const schedules = `full: "${never}", incremental: "${never}"`;
  if (!hasS3Server) return stack.configure("  pgroundwork:memory: 1024", `  pgroundwork:backups: { ${schedules} }`);
  await s3.start(bucket);
  await stack.write("bench-ca.pem", await readFile(s3.caFile, "utf8"));
  const remote = `{ type: s3, endpoint: "${s3.endpoint}", region: us-east-1, bucket: ${bucket}, path: /bench, caFile: bench-ca.pem }`;
  const repositories = `repositories: [{ type: volume }, ${remote}]`;
  await stack.configure("  pgroundwork:memory: 1024", `  pgroundwork:backups: { ${schedules}, ${repositories} }`);
  for (const name of ["key", "keySecret"] as const) await stack.setSecret(`backups.repositories[1].${name}`, s3[name]);
}

async function fill(docker: Docker, stack: DevStack): Promise<void> {
  const column = "(select string_agg(md5(g::text || n::text), '') from generate_series(1, 30) n)";
  await inServer(docker, stack, [
    ...["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", database],
    ...[
      "-c",
      "create table filler (id bigint primary key, text text)",
      "-c",
      "alter table filler alter text set storage external",
    ],
    ...["-c", `insert into filler select g, ${column} from generate_series(1, ${rows}) g`],
    ...["-c", "vacuum freeze filler", "-c", "create database bench"],
  ]);
  await inServer(docker, stack, ["pgbench", "-i", "-q", "-s", "20", "bench"]);
}

async function measureDrill(stack: DevStack): Promise<Measurement> {
  const times: number[] = [];
  for (let i = 0; i < pairs; i += 1) times.push(await timed(() => stack.pgw("backup", "drill")));
  return {
    what: "backups: drill of 1 GB",
    here: describeTimes(times),
    target: "≤ 60 s",
    met: median(times) <= 60,
  };
}

/** Compares a restore with pgBackRest alone and a server that recovers, without reading the rows. */
async function measureRestore(docker: Docker, stack: DevStack): Promise<Measurement> {
  const [ours, bare]: [number[], number[]] = [[], []];
  for (let i = 0; i < pairs; i += 1) {
    const volume = `${stack.prefix}-restored-${i}`;
    ours.push(await timed(() => stack.pgw("backup", "restore", "--to-volume", volume)));
    await docker.getVolume(volume).remove();
    bare.push(await timed(() => restoreBare(docker, stack, `${volume}-bare`)));
    await docker.getVolume(`${volume}-bare`).remove();
  }
  const ratio = median(ours) / median(bare);
  return {
    what: "backups: restore of 1 GB, every row read",
    here: describeTimes(ours),
    against: `pgbackrest restore and recovery: ${describeTimes(bare)}`,
    ratio,
    target: "≤ 1.2×",
    met: ratio <= 1.2,
  };
}

async function restoreBare(docker: Docker, { prefix }: DevStack, volume: string): Promise<void> {
  const { Image: image } = await docker.getContainer(`${prefix}-postgres`).inspect();
  const stack: StackBackups = {
    owner: { project: "pgroundwork", stack: prefix, owner: "bench" },
    ...{ container: `${prefix}-backup`, server: `${prefix}-postgres`, image },
    volumes: { repository: `${prefix}-backup`, configuration: `${prefix}-config`, data: `${prefix}-postgres` },
    schedule: { full: never, incremental: never },
  };
  const settings =
    "-c listen_addresses= -c ssl=off -c archive_mode=off -c shared_preload_libraries= -c max_prepared_transactions=2000";
  const files = ["config_file=postgresql.conf", "hba_file=pg_hba.conf", "ident_file=pg_ident.conf"]
    .map((each) => `-c ${each.replace("=", `=${paths.configuration}/`)}`)
    .join(" ");
  const script = `umask 077; mkdir -p ${paths.data}
    pgbackrest --config=${paths.configuration}/pgbackrest.conf --stanza=${stanza} --pg1-path=${paths.data} --lock-path=/tmp --log-path=/tmp restore
    pg_ctl -D ${paths.data} -t 600 -w -l /tmp/log -o "${files} ${settings}" start || { cat /tmp/log; exit 1; }
    until [ "$(psql -XqAt -c 'select pg_is_in_recovery()')" = f ]; do sleep 0.1; done
    pg_ctl -D ${paths.data} -w stop`;
  await withScratchContainer(
    docker,
    { ...specOf(stack, volume, ["sh", "-ec", script]), memoryMb: 2_048 },
    async (container) => {
      await container.start();
      const { StatusCode: code } = (await container.wait()) as { StatusCode: number };
      if (code !== 0)
        throw new Error(`The bare restore failed: ${await container.logs({ stdout: true, stderr: true })}`);
    },
  );
}

async function measureSnapshot(docker: Docker, stack: DevStack): Promise<Measurement> {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let i = 0; i < pairs; i += 1) {
    ours.push(await timed(() => stack.pgw("snapshot", "save", `s${i}`, "-d", database)));
    await stack.pgw("snapshot", "drop", `s${i}`, "-d", database);
    theirs.push(await timed(() => inServer(docker, stack, ["createdb", "-T", database, "copied"])));
    await inServer(docker, stack, ["dropdb", "copied"]);
  }
  const against = `createdb -T: ${describeTimes(theirs)}`;
  const ratio = median(ours) / median(theirs);
  return { what: "backups: snapshot of 1 GB", here: describeTimes(ours), against, ratio, target: "", met: true };
}

async function transactionsPerSecond(docker: Docker, stack: DevStack): Promise<number> {
  const said = await inServer(docker, stack, ["pgbench", "-n", "-c", "8", "-T", String(pgbenchSeconds), "bench"]);
  return Number(/^tps = ([\d.]+)/m.exec(said)?.[1]);
}

async function inServer(docker: Docker, { container }: DevStack, command: string[]): Promise<string> {
  const { code, stdout, stderr } = await runInContainer(docker, container, { command });
  if (code !== 0) throw new Error(`${command[0]} failed: ${stderr}`);
  return stdout;
}
