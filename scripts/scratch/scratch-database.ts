import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "pg";
import { withClient } from "../connection/client.ts";
import { type Connection, inDatabase } from "../connection/connection.ts";
import { unlessAbsent } from "../core/absent.ts";
import type { DatabaseFile, DeclaredExtension } from "../databases/database-file.ts";
import { grantExtensionPrivileges } from "../databases/extension-privileges.ts";
import { cronExtension } from "../model/cron.ts";
import { planExtensionPrivileges } from "../model/extension-privileges.ts";
import { preloadLibraries } from "../model/image-extensions.ts";
import { roleName } from "../model/names.ts";
import { planPrivileges, serverRolePlans } from "../model/privileges.ts";
import { dataHome } from "../server/locations.ts";
import { withScratchCluster } from "./cluster.ts";
import { installScratchBinaries } from "./embedded-binaries.ts";
import { limitation } from "./limitation.ts";
import {
  createDatabase,
  createDatabases,
  createExtension,
  createTablespaces,
  storeSettings,
  supplyMissingExtensions,
} from "./live-objects.ts";
import { type LiveServer, readLiveServer } from "./live-server.ts";
import { readMentions } from "./mentions.ts";
import { createRoleStatement, privilegeStatements } from "./planned-database.ts";
import type { ScratchCluster, ScratchDocker } from "./request.ts";
import { createRoles, empower, guardExtensions, joinRoles, superusersOf } from "./roles.ts";

/** Value of shared_buffers in MB. A scratch cluster contains no rows except those that migrations create. */
const memoryMb = 32;
const application = "pgroundwork scratch";

export interface ScratchOptions {
  /** Connection to the live database, as the login whose files are tried. It is only read. */
  connection: Connection;
  /** Folder of the database, with its database.json. */
  folder: string;
  /**
   * Login that hooks marked `root` use on the live server. Default: the superuser that its cluster was created with.
   */
  rootUser?: string | undefined;
  /** SQL that is replayed to bring the scratch database to the state of the live one: applied files and hooks. */
  applied: readonly string[];
  /** SQL that is tried after that. */
  pending?: readonly string[];
  docker?: ScratchDocker | undefined;
  onProgress?: ((text: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** A database in a scratch cluster with the name of the live one, which begins as its database.json declares it. */
export interface ScratchDatabase {
  /** Connection as the live database's login. */
  connection: Connection;
  /** Connection as the cluster's own superuser. Only statements of the kit run on it. */
  superuser: Connection;
  cluster: Pick<ScratchCluster, "kind" | "major" | "extensions" | "isConfined">;
  live: LiveServer;
  /** True if the database has the kit's roles, so that owner and privileges are declared. */
  isManaged: boolean;
  /**
   * Extensions that were created although nothing declares them, because files need them and the live database has
   * them.
   */
  undeclaredExtensions: Set<string>;
  /** Schemas that were created only for extensions. */
  extensionSchemas: ReadonlySet<string>;
  /** Differences from the live server that cannot be avoided here. */
  warnings: string[];
  /** Returns the connection for hooks marked `root`. */
  asRoot(): Promise<Connection>;
  /**
   * Creates the object that a failed statement did not find, if the live server has it outside the database's files: a
   * role, a database, a tablespace, or an extension.
   *
   * @returns true if anything was created, so that the statement is worth another try
   */
  supply(error: unknown): Promise<boolean>;
  /** Creates all objects that the live server has outside the database's files and that pending SQL could need. */
  catchUp(): Promise<void>;
  /**
   * Returns the reason why a statement's failure proves nothing about the statement. Undefined if it would also fail on
   * the live server.
   *
   * @param asRoot true if it may have run on the connection of {@link asRoot}
   */
  limitation(error: unknown, asRoot?: boolean): string | undefined;
}

/**
 * Creates a scratch cluster with a database that begins like that of a new environment: with the extensions in its
 * database.json, and with the roles and privileges of the kit's plan if the live database has those. Otherwise it has
 * PostgreSQL's own defaults. The live server is only read.
 *
 * @throws NotTried if no such cluster can be created; any error of `use`
 */
export async function withScratchDatabase<T>(
  options: ScratchOptions,
  use: (scratch: ScratchDatabase) => Promise<T>,
): Promise<T> {
  const live = await withClient(options.connection, readLiveServer, application);
  const declared = (await declaredExtensions(options.folder)).filter(
    ({ name, optional }) => !optional || live.availableExtensions.includes(name),
  );
  const mentions = readMentions([...options.applied, ...(options.pending ?? [])]);
  const mentioned = [...mentions.extensions].filter((name) => live.availableExtensions.includes(name));
  const names = [...declared.map(({ name }) => name), ...mentioned];
  const request = {
    major: live.major,
    extensions: declared.map(({ name }) => name),
    wantedExtensions: mentioned,
    settings: clusterSettings(live, names),
    memoryMb,
    docker: options.docker,
    onProgress: options.onProgress,
    signal: options.signal,
  };
  return withScratchCluster(request, async (cluster) => {
    return use(await makeDatabase(cluster, live, declared, options));
  });
}

/** Returns the declared extensions. A folder without the file declares none. */
async function declaredExtensions(folder: string): Promise<DeclaredExtension[]> {
  const file = join(folder, "database.json");
  const text = await unlessAbsent(readFile(file, "utf8"));
  if (text === undefined) return [];
  const { parseDatabaseFile } = await import("../databases/database-schema.ts");
  const { extensions }: DatabaseFile = parseDatabaseFile(text, file);
  return extensions;
}

function clusterSettings(
  { configuration, database }: LiveServer,
  extensions: readonly string[],
): Record<string, string> {
  return {
    ...configuration,
    ...(configuration.wal_level === "minimal" ? { max_wal_senders: "0" } : {}),
    shared_preload_libraries: preloadLibraries(extensions),
    ...(extensions.includes(cronExtension)
      ? { "cron.database_name": database.name, "cron.launch_active_jobs": "off" }
      : {}),
  };
}

async function makeDatabase(
  cluster: ScratchCluster,
  live: LiveServer,
  declared: readonly DeclaredExtension[],
  options: ScratchOptions,
): Promise<ScratchDatabase> {
  const { name } = live.database;
  const { superuser, isConfined } = cluster;
  const maintenance = name === "postgres" ? inDatabase(superuser, "template1") : superuser;
  const admin = inDatabase(superuser, name);
  const applied = readMentions(options.applied);
  const pending = readMentions(options.pending ?? []);
  const plan = planPrivileges(name);
  const has = (role: string) => live.roles.some((each) => each.name === role);
  const isManaged = has(roleName(name, "owner")) && has(roleName(name, "migrator"));
  const rootUser = options.rootUser !== undefined && has(options.rootUser) ? options.rootUser : live.bootstrapSuperuser;
  const superusers = superusersOf(live.roles, live.memberships);
  const loginIsSuperuser = superusers.includes(live.login);
  const password = randomBytes(24).toString("base64url");
  const warnings: string[] = [];
  const undeclaredExtensions = new Set<string>();
  const extensionSchemas = new Set<string>();
  const empowered = new Set<string>();
  const roleOptions = { isConfined };

  const create = async (client: Client, wanted: (role: string) => boolean): Promise<number> => {
    const { rows } = await client.query<{ name: string }>("select rolname as name from pg_roles");
    const there = new Set(rows.map((row) => row.name));
    const missing = live.roles.filter((role) => !there.has(role.name) && wanted(role.name));
    await createRoles(client, missing, live.memberships, roleOptions);
    if (missing.length > 0) for (const role of empowered) await empower(client, role);
    return missing.length;
  };
  const letIn = async (client: Client, role: string) => {
    await client.query(`alter role ${client.escapeIdentifier(role)} login password ${client.escapeLiteral(password)}`);
    if (isConfined || !superusers.includes(role)) return;
    empowered.add(role);
    await empower(client, role);
  };

  await withClient(
    maintenance,
    async (client) => {
      if (isManaged) {
        const planned = [...Object.values(serverRolePlans), plan.roles.owner, ...Object.values(plan.roles)];
        for (const role of new Map(planned.map((each) => [each.name, each])).values())
          await client.query(createRoleStatement(role));
      }
      const needed = new Set([live.login, live.database.owner, live.bootstrapSuperuser, rootUser]);
      await create(client, (role) => needed.has(role) || (applied.has(role) && !applied.createdRoles.has(role)));
      if (isManaged)
        await joinRoles(
          client,
          new Set(Object.values(plan.roles).map((role) => role.name)),
          live.memberships,
          roleOptions,
        );
      warnings.push(...(await createDatabase(client, live, isManaged ? plan.roles.owner.name : live.database.owner)));
    },
    application,
  );
  await withClient(
    admin,
    async (client) => {
      // In this database, because rights on functions apply to one database.
      await letIn(client, live.login);
      if (!isConfined) {
        const { untrusted } = await installScratchBinaries(dataHome(process.env, process.getuid?.()));
        await guardExtensions(client, untrusted, superusers);
      }
      if (live.hasOldPublicSchema && !isManaged) {
        const owner = client.escapeIdentifier(live.bootstrapSuperuser);
        await client.query(`alter schema public owner to ${owner}; grant usage, create on schema public to public`);
      }
      for (const extension of declared) {
        const made = await createExtension(client, extension);
        if (made !== undefined) extensionSchemas.add(made);
      }
      if (isManaged) {
        for (const statement of privilegeStatements(name, plan)) await client.query(statement);
        await grantExtensionPrivileges(client, planExtensionPrivileges(name, declared));
      }
      await storeSettings(client, live, (setting) => !applied.storedSettings.has(setting.name.toLowerCase()));
    },
    application,
  );

  const asAdmin = <R>(work: (client: Client) => Promise<R>) => withClient(admin, work, application);
  const supplyExtensions = (client: Client) =>
    supplyMissingExtensions(client, live, cluster.extensions, undeclaredExtensions);
  return {
    connection: { ...inDatabase(superuser, name), user: live.login, password },
    superuser: admin,
    cluster,
    live,
    isManaged,
    undeclaredExtensions,
    extensionSchemas,
    warnings,
    asRoot: async () => {
      if (!empowered.has(rootUser)) await asAdmin((client) => letIn(client, rootUser));
      return { ...inDatabase(superuser, name), user: rootUser, password };
    },
    supply: async (error) => {
      const { code, message } = error as { code?: string; message?: string };
      const missing = /^(role|database|tablespace) "(.+)" does not exist$/.exec(message ?? "");
      if (missing !== null && (code === "42704" || code === "3D000")) {
        const [, kind, wanted = ""] = missing;
        if (kind === "role") return asAdmin(async (client) => (await create(client, (role) => role === wanted)) > 0);
        if (kind === "database") return asAdmin((client) => createDatabases(client, live, (each) => each === wanted));
        return asAdmin((client) => createTablespaces(client, live, (each) => each === wanted));
      }
      // A type, function, schema or table that an extension contains.
      if (!["42704", "42883", "42P01", "3F000"].includes(code ?? "")) return false;
      return asAdmin(supplyExtensions);
    },
    catchUp: () =>
      asAdmin(async (client) => {
        await create(client, () => true);
        await createDatabases(client, live, (each) => pending.has(each));
        await createTablespaces(client, live, (each) => pending.has(each));
        await supplyExtensions(client);
        await storeSettings(client, live, () => true);
      }),
    limitation: (error, asRoot = false) =>
      limitation(error, { live, cluster, isReduced: (loginIsSuperuser || asRoot) && !isConfined }),
  };
}
