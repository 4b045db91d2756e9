import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Connection } from "../connection/connection.ts";
import { unlessAbsent } from "../core/absent.ts";
import { poll } from "../core/poll.ts";
import { temporaryFor } from "../core/temporary.ts";
import { type Account, serverAccount } from "../server/account.ts";
import { availableExtensions, type Binaries } from "../server/binaries.ts";
import { renderConfiguration, writeConfiguration } from "../server/configuration.ts";
import { dataHome } from "../server/locations.ts";
import { type Finished, run } from "../server/program.ts";
import { installScratchBinaries, reachesOut } from "./embedded-binaries.ts";
import { removeAbandoned, scratchPrefix, writeHolder } from "./left-behind.ts";
import { NotTried, type ScratchCluster, type ScratchRequest, scratchMajor } from "./request.ts";
import { type WatchedServer, watchServer } from "./watched-server.ts";

/** Time limit of a start. */
const startTimeoutMs = 60_000;
const pollIntervalMs = 10;
/** Longest folder name in bytes. A socket's path is limited to 107 bytes on Linux and 103 on macOS. */
const longestFolder = 80;

/** Superuser of a scratch cluster. No live server has a role with this name. */
export const scratchSuperuser = "pgroundwork_scratch";

/**
 * Returns the names of the extensions in an embedded scratch cluster: contrib, without those that access other servers
 * or programs.
 */
export async function embeddedExtensions(): Promise<Set<string>> {
  return new Set([...(await availableExtensions())].filter((name) => !reachesOut(name)));
}

/**
 * Starts a cluster on the embedded binaries in a temporary directory, reachable only by its socket. A small shell
 * script watches this process: if it ends for any reason, the shell ends the server and removes the directory.
 *
 * @throws NotTried if it does not start; any error of `use`
 */
export async function withEmbeddedCluster<T>(
  request: Pick<ScratchRequest, "settings" | "memoryMb" | "signal">,
  extensions: ReadonlySet<string>,
  use: (cluster: ScratchCluster) => Promise<T>,
): Promise<T> {
  const account = await serverAccount(process.getuid?.());
  const binaries = await installScratchBinaries(dataHome(process.env, process.getuid?.()));
  const parent = await temporaryFolder(account);
  await removeAbandoned(parent);
  const folder = await mkdtemp(join(parent, scratchPrefix));
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  await writeHolder(folder);
  const server = watchServer(binaries.postgres, folder, account);
  try {
    const password = await initialise(binaries, folder, account);
    await writeConfiguration(join(folder, "data"), renderConfiguration(settingsOf(request, folder)), account);
    server.start();
    await untilReady(folder, server, request.signal);
    const superuser = scratchLogin(folder, password);
    return await use({ kind: "embedded", major: scratchMajor, superuser, extensions, isConfined: false });
  } finally {
    await server.end();
  }
}

/**
 * Creates the cluster of a scratch server as a copy of one that is kept beside the binaries. initdb takes ten times as
 * long as the copy.
 *
 * @returns password of the superuser
 */
export async function initialise(
  binaries: Pick<Binaries, "initdb" | "version">,
  folder: string,
  account: Account | undefined,
): Promise<string> {
  const template = join(dirname(dirname(dirname(binaries.initdb))), `${binaries.version}-cluster`);
  const password = await ensureTemplate(binaries, template, account);
  const args = ["-Rp", join(template, "data"), join(folder, "data")];
  const finished = await run("cp", args, { account, cwd: folder });
  if (finished.code === 0) return password;
  throw cannotCreate(folder, finished, "Free space there, or set TMPDIR to another folder.");
}

/**
 * Creates the cluster that scratch clusters are copies of, unless it exists.
 *
 * @returns password of the superuser. Only this user can read its file, and not the server's account
 */
async function ensureTemplate(
  binaries: Pick<Binaries, "initdb" | "version">,
  template: string,
  account: Account | undefined,
): Promise<string> {
  const known = await unlessAbsent(readFile(join(template, "password"), "utf8"));
  if (known !== undefined) return known;
  const staging = temporaryFor(template);
  const password = randomBytes(24).toString("base64url");
  try {
    await mkdir(join(staging, "data"), { recursive: true });
    await chmod(staging, 0o711);
    await chmod(join(staging, "data"), 0o700);
    if (account !== undefined) await chown(join(staging, "data"), account.uid, account.gid);
    await createTemplate(binaries, staging, password, account);
    await rename(staging, template);
    return password;
  } catch (error) {
    // Another process has just created it.
    if (!["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    return await readFile(join(template, "password"), "utf8");
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function createTemplate(
  binaries: Pick<Binaries, "initdb" | "version">,
  staging: string,
  password: string,
  account: Account | undefined,
): Promise<void> {
  const passwordFile = join(staging, "password");
  await writeFile(passwordFile, password, { mode: 0o600, flag: "wx" });
  if (account !== undefined) await chown(passwordFile, account.uid, account.gid);
  // Synced, because it has to survive a power failure.
  const args = [
    `--pgdata=${join(staging, "data")}`,
    `--username=${scratchSuperuser}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    `--locale=${process.platform === "darwin" ? "en_US.UTF-8" : "C.UTF-8"}`,
    "--no-instructions",
  ];
  const finished = await run(binaries.initdb, args, { account, cwd: staging }).catch((cause: NodeJS.ErrnoException) => {
    throw new NotTried(`${binaries.initdb} cannot be run: ${cause.code ?? cause.message}`, { cause });
  });
  if (finished.code !== 0) throw cannotCreate(staging, finished, "Free space there, or set XDG_DATA_HOME.");
  if (account !== undefined) await chown(passwordFile, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
}

function cannotCreate(folder: string, { stderr, stdout }: Finished, hint: string): NotTried {
  const reason = lastLine(stderr) || lastLine(stdout);
  return new NotTried(`cannot create a scratch cluster in ${dirname(folder)}: ${reason}`, { hint });
}

function settingsOf(
  { settings, memoryMb }: Pick<ScratchRequest, "settings" | "memoryMb">,
  folder: string,
): Record<string, string> {
  // No other library is installed, and the server would not start.
  const library = "pg_stat_statements";
  return {
    ...scratchSettings(settings, memoryMb),
    shared_preload_libraries: settings.shared_preload_libraries?.includes(library) === true ? library : "",
    listen_addresses: "",
    unix_socket_directories: folder,
    unix_socket_permissions: "0700",
  };
}

/**
 * Returns the common settings of scratch clusters: small, and not safe against a power failure, because no data is
 * kept.
 */
export function scratchSettings(settings: Readonly<Record<string, string>>, memoryMb: number): Record<string, string> {
  return {
    max_locks_per_transaction: "256",
    ...settings,
    port: "5432",
    shared_buffers: `${memoryMb}MB`,
    max_connections: "20",
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    autovacuum: "off",
    huge_pages: "off",
    archive_mode: "off",
    logging_collector: "off",
    log_destination: "stderr",
    // The kit parses the server's messages.
    lc_messages: "C",
    restart_after_crash: "off",
  };
}

/** Returns the connection of the superuser to a scratch server whose socket is in a folder. */
export function scratchLogin(folder: string, password: string): Connection {
  return { host: folder, port: 5432, database: "postgres", user: scratchSuperuser, password, sslmode: "disable" };
}

async function untilReady(folder: string, server: WatchedServer, signal: AbortSignal | undefined): Promise<void> {
  const ended = await untilReadyOrEnded(folder, server, signal);
  if (ended === undefined) return;
  const fatal = /^.*FATAL: +(.*)$/m.exec(ended)?.[1] ?? lastLine(ended);
  throw new NotTried(`the scratch cluster did not start: ${fatal}`);
}

/** Differences of a scratch server from the usual ones. */
export interface ScratchStart {
  /** Data directory. Default: `data` in its folder. */
  data?: string;
  /** Time limit of the start. Default: 60 s. */
  timeoutMs?: number;
}

/**
 * Waits until a scratch server accepts sessions.
 *
 * @returns undefined if it does, else the end of its log
 * @throws NotTried if it does neither in time
 */
export async function untilReadyOrEnded(
  folder: string,
  server: WatchedServer,
  signal: AbortSignal | undefined,
  { data = join(folder, "data"), timeoutMs = startTimeoutMs }: ScratchStart = {},
): Promise<string | undefined> {
  const attempt = async () => {
    const ended = server.endOfLog();
    if (ended !== undefined) return { ended };
    const lines = (await unlessAbsent(readFile(join(data, "postmaster.pid"), "utf8")))?.split("\n") ?? [];
    return lines[7]?.trim() === "ready" ? { ended } : undefined;
  };
  const timedOut = async () => {
    const log = (await unlessAbsent(readFile(join(folder, "log"), "utf8"))) ?? "";
    return new NotTried(`the scratch cluster did not start within ${timeoutMs / 1_000} s: ${lastLine(log)}`);
  };
  const polling = { intervalMs: pollIntervalMs, timeoutMs, signal, timedOut };
  return (await poll(attempt, polling)).ended;
}

/** Returns a temporary folder that the server's account can enter, with a path short enough for a socket. */
export async function temporaryFolder(account: Account | undefined): Promise<string> {
  const folder = tmpdir();
  const fits = Buffer.byteLength(folder) <= longestFolder;
  return fits && (account === undefined || (await isOpenToAll(folder))) ? folder : "/tmp";
}

/** Returns true if every account can enter an existing folder. */
export async function isOpenToAll(folder: string): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
