import { describeLacking, lackingStandbys, type SynchronousSettings } from "../connection/synchronous-standbys.ts";
import { OperationError } from "../core/operation-error.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import type { ServerSettings } from "./configuration.ts";
import { parseQuantity } from "./quantity.ts";

/* A trial: a throwaway cluster is started with new settings before a server gets them. */

/** State of the running server that decides if it can start with other settings. */
export interface LiveState {
  /** Text of postgresql.auto.conf, which ALTER SYSTEM writes. */
  altered: string;
  preparedTransactions: number;
  /** Replication slots that outlive a restart. */
  slots: number;
  logicalSlots: number;
  /** Origins of subscriptions, with their progress. */
  origins: number;
  /** Shared memory that the server frees when it stops, in MB. */
  sharedMemoryMb: number;
  /** `on` if this memory is in huge pages. */
  hugePages: string;
  /** `application_name` of the connected standbys. */
  standbys: string[];
}

/**
 * Starts a throwaway cluster with the settings of an embedded server before the running server gets them.
 *
 * @throws OperationError if the cluster does not start, or the server's data does not allow a start
 */
export type SettingsTrial = (trial: {
  binaries: Binaries;
  dataDirectory: string;
  account: Account | undefined;
  settings: ServerSettings;
  /** undefined if the running server could not be queried. */
  live: LiveState | undefined;
}) => Promise<void>;

/** Query for {@link LiveState}, for the superuser. */
export const liveStateQuery = `
  select coalesce(pg_read_file('postgresql.auto.conf', true), '') as altered,
         (select count(*)::int from pg_prepared_xacts) as "preparedTransactions",
         (select count(*)::int from pg_replication_slots where not temporary) as slots,
         (select count(*)::int from pg_replication_slots where not temporary and slot_type = 'logical') as "logicalSlots",
         (select count(*)::int from pg_replication_origin_status) as origins,
         (select setting::int from pg_settings where name = 'shared_memory_size') as "sharedMemoryMb",
         (select setting from pg_settings where name = 'huge_pages_status') as "hugePages",
         (select coalesce(json_agg(application_name), '[]')
            from pg_stat_replication where state = 'streaming') as standbys`;

/** Values of a trial server that are compared with {@link LiveState}. */
export interface TriedSettings {
  preparedTransactions: number;
  slots: number;
  walLevel: string;
  standbyNames: string;
  synchronousCommit: string;
}

/** Query for {@link TriedSettings}. It also proves that the server accepts sessions. */
export const triedSettingsQuery = `
  select current_setting('max_prepared_transactions')::int as "preparedTransactions",
         current_setting('max_replication_slots')::int as slots, current_setting('wal_level') as "walLevel",
         current_setting('synchronous_standby_names') as "standbyNames",
         current_setting('synchronous_commit') as "synchronousCommit"`;

/** A trial server did not start, or accepted no session. */
export class TrialRefused extends Error {
  /** True if the system did not grant the shared memory. */
  readonly lacksMemory: boolean;

  /** @param reason PostgreSQL's own words */
  constructor(reason: string) {
    super(reason);
    this.lacksMemory = /could not (map anonymous|create|resize) shared memory/.test(reason);
  }
}

/** Files of a trial server, and settings that it gets instead of those that are tried. */
interface TrialServer {
  /** Path of the configuration file with the settings that are tried. */
  configuration: string;
  dataDirectory: string;
  socketDirectory: string;
  overrides: ServerSettings;
}

/**
 * Options of a trial server, with which it reaches nothing outside its own folder and is reached only by its socket.
 * They override the settings that are tried.
 */
export function trialOptions({ configuration, dataDirectory, socketDirectory, overrides }: TrialServer): string[] {
  const settings: ServerSettings = {
    config_file: configuration,
    // The settings could name the directory of the live server.
    data_directory: dataDirectory,
    hba_file: `${dataDirectory}/pg_hba.conf`,
    ident_file: `${dataDirectory}/pg_ident.conf`,
    external_pid_file: "",
    listen_addresses: "",
    port: "5432",
    unix_socket_directories: socketDirectory,
    unix_socket_group: "",
    unix_socket_permissions: "0700",
    // Its files exist only in the server's own volume.
    ssl: "off",
    // It must not write to the live server's archive.
    archive_command: "",
    archive_library: "",
    fsync: "off",
    // The kit parses the messages.
    logging_collector: "off",
    log_destination: "stderr",
    log_line_prefix: "",
    log_min_messages: "warning",
    log_error_verbosity: "default",
    lc_messages: "C",
    restart_after_crash: "off",
    ...overrides,
  };
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/**
 * Returns PostgreSQL's own reason for not starting, with its details and hints. Returns the end of the log if it gives
 * no reason.
 *
 * @param log complete log of a trial server that ended
 */
export function startRefusal(log: string): string {
  const lines = log.trimEnd().split("\n");
  const first = lines.findIndex((line) => /^(FATAL|PANIC|ERROR): |^postgres: /.test(line));
  if (first === -1) return lines.slice(-5).join("\n").trim() || "it ended without a message";
  const rest = lines.slice(first + 1);
  const end = rest.findIndex((line) => !/^(DETAIL|HINT|CONTEXT): |^\t/.test(line));
  return [lines[first] ?? "", ...rest.slice(0, end === -1 ? rest.length : end)]
    .map((line) => line.replace(/^(?:FATAL|PANIC|ERROR|postgres): +/, "").trim())
    .join("\n");
}

/**
 * Starts a throwaway cluster with settings, and refuses them if it does not start, if the running server could not
 * start with its data, or if its commits would wait for a standby that is not connected.
 *
 * @param live undefined if no server runs, or if it could not be queried. Then only the throwaway cluster decides.
 * @param start starts the cluster and queries it; its argument overrides settings
 * @param standbys names of the connected standbys; undefined if they are unknown
 * @throws OperationError with PostgreSQL's message
 */
export async function trySettings(
  settings: ServerSettings,
  live: LiveState | undefined,
  start: (overrides: ServerSettings) => Promise<TriedSettings>,
  standbys: readonly string[] | undefined = live?.standbys,
): Promise<void> {
  let tried: TriedSettings;
  try {
    tried = await startNextToLive(settings, live, start);
  } catch (error) {
    if (!(error instanceof TrialRefused)) throw error;
    throw refusal(error.message);
  }
  const fault = live === undefined ? undefined : dataFault(live, tried);
  if (fault !== undefined) throw refusal(fault);
  if (standbys !== undefined)
    refuseLackingStandbys({ names: tried.standbyNames, level: tried.synchronousCommit }, standbys);
}

/**
 * Refuses settings with which every commit of a server would wait for a standby that is not connected.
 *
 * @throws OperationError
 */
export function refuseLackingStandbys(settings: SynchronousSettings, connected: readonly string[]): void {
  const lacking = lackingStandbys(settings, connected);
  if (lacking === 0) return;
  throw new OperationError(describeLacking(settings, lacking), {
    hint: "Remove synchronous_standby_names from pgroundwork:postgresql, and set it once the standby is connected. If it was set by hand: ALTER SYSTEM RESET synchronous_standby_names. The server was not changed.",
  });
}

/** Tries again with less memory if it lacks only the memory that the running server frees when it is restarted. */
async function startNextToLive(
  settings: ServerSettings,
  live: LiveState | undefined,
  start: (overrides: ServerSettings) => Promise<TriedSettings>,
): Promise<TriedSettings> {
  try {
    return await start({});
  } catch (error) {
    if (!(error instanceof TrialRefused) || !error.lacksMemory || live === undefined) throw error;
    const buffers = buffersWithout(settings, live);
    if (buffers === undefined) throw error;
    try {
      return await start({ shared_buffers: buffers });
    } catch (again) {
      // The message about the settings as they are.
      if (again instanceof TrialRefused && again.lacksMemory) throw error;
      throw again;
    }
  }
}

/** Returns `shared_buffers` without the memory that the running server holds. Returns undefined if it holds none. */
function buffersWithout(settings: ServerSettings, live: LiveState): string | undefined {
  if (settings.huge_pages?.toLowerCase() === "on" && live.hugePages !== "on") return undefined;
  const pages = parseQuantity(settings.shared_buffers ?? "128MB", "8kB", true);
  if (pages === undefined || live.sharedMemoryMb <= 0) return undefined;
  const pagesPerMegabyte = 128;
  const fewestPages = 16;
  return String(Math.max(pages - live.sharedMemoryMb * pagesPerMegabyte, fewestPages));
}

/**
 * Returns the reason why the running server could not start again with its own data. Follows `MarkAsPreparingGuts`,
 * `RestoreSlotFromDisk` and `StartupReplicationOrigin` of PostgreSQL 17.
 */
export function dataFault(live: LiveState, tried: TriedSettings): string | undefined {
  const { preparedTransactions: prepared, slots, origins, logicalSlots } = live;
  if (prepared > tried.preparedTransactions)
    return `max_prepared_transactions is ${tried.preparedTransactions}, but the server has ${prepared} prepared ${prepared === 1 ? "transaction" : "transactions"} (pg_prepared_xacts). It would not start again.`;
  if (slots > tried.slots)
    return `max_replication_slots is ${tried.slots}, but the server has ${slots} replication ${slots === 1 ? "slot" : "slots"} (pg_replication_slots). It would not start again.`;
  if (origins > tried.slots)
    return `max_replication_slots is ${tried.slots}, but the server has ${origins} replication ${origins === 1 ? "origin" : "origins"} (pg_replication_origin_status). It would not start again.`;
  if (logicalSlots > 0 && tried.walLevel !== "logical")
    return `wal_level is ${tried.walLevel}, but the server has a logical replication slot (pg_replication_slots). It would not start again.`;
  if (slots > 0 && tried.walLevel === "minimal")
    return "wal_level is minimal, but the server has a replication slot (pg_replication_slots). It would not start again.";
  return undefined;
}

function refusal(reason: string): OperationError {
  return new OperationError(`PostgreSQL does not start with these settings: ${reason}`, {
    hint: "Correct pgroundwork:postgresql or the setting that the message names (pulumi config). The server was not changed.",
  });
}
