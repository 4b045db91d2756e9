import type { Duplex } from "node:stream";
import pg, { type ClientConfig, type DatabaseError } from "pg";
import { codeOf } from "./errors.ts";
import { askRole, roleFromParameters, type SessionRole } from "./servers/role.ts";
import type { Server, ServerList } from "./servers/servers.ts";
import { versionNumber } from "./session.ts";

/** Everything that a client needs to know about its pool. */
export interface ClientRuntime {
  servers: ServerList;
  hostTimeoutMs: number;
  /** Returns the driver's settings for one server. */
  config(server: Server): ClientConfig;
  /** Returns the statements that set up a session, or an empty text. */
  setup(serverVersion: number): string;
  /** Returns the password of the next connection if it differs from that of the last one. */
  passwordChanged(): Promise<boolean>;
  /** Lifetime of the next client. */
  lifetimeMs(): number;
}

/** No server could be tried now: all of them failed a moment ago, or are being tried. */
export class NoServerError extends Error {
  override readonly name = "NoServerError";
}

/** The server has another role than wanted. */
export class WrongRoleError extends Error {
  override readonly name = "WrongRoleError";
}

/** The password was changed during the login, so the login is worth another attempt. */
export class PasswordChangedError extends Error {
  override readonly name = "PasswordChangedError";
}

/** The driver's events and fields that its types do not declare. */
interface DriverConnection {
  on(event: "parameterStatus", listener: (message: { parameterName: string; parameterValue: string }) => void): void;
  on(event: "errorMessage", listener: (error: DatabaseError) => void): void;
  readonly stream: Duplex;
  readonly parsedStatements: Record<string, string>;
}

type Connected = (error?: Error | null) => void;

/**
 * A client of the pool: the driver's client, connected to a server that the list chose. It has an error listener for
 * its whole life, so that no lost connection ends the process.
 */
export abstract class ServerClient extends pg.Client {
  readonly server: Server | undefined;
  /** Generation of the server at login; see {@link Server}. */
  readonly generation: number;
  /** Parameters that the server reported. */
  readonly parameters = new Map<string, string>();
  /** Error that ended the connection. */
  lost: Error | undefined;
  /** Time at which the client is too old, on the clock of `performance.now()`. */
  expiresAt = Number.POSITIVE_INFINITY;
  /** Time of the last return to the pool. */
  idleSince = 0;
  /** Text of the running or last statement. */
  lastText: string | undefined;
  /** Beginning of the running statements, or 0. */
  busySince = 0;
  /** An error was received, and the session will be ready for the next statement in a moment. */
  settling = false;
  /** The server's last error that was not only the consequence of another one. */
  failedWith: Error | undefined;
  /** Key of the request context that the session has; see `contextKey`. */
  contextKey = "";
  /** Something may have changed the session since it was set up. */
  needsReset = false;
  /** The system and the run of its server, once asked. Null if its role may not ask for the results of commits. */
  serverRun: string | null | undefined;
  /** Returns the client to pg-pool, which assigns a new function at each check-out. */
  pgPoolRelease: (discard: boolean) => void = () => {};
  /** Names of the prepared statements by their text, the least used first. */
  readonly prepared = new Map<string, string>();
  /** Listeners from before the client was lent to a user, who may leave others. */
  #ownListeners: Map<string | symbol, unknown[]> | undefined;

  constructor(config: ClientConfig, server: Server | undefined) {
    super(config);
    this.server = server;
    this.generation = server?.generation ?? 0;
    // Each statement that failed waits until the session is ready, and many can be sent at once.
    this.setMaxListeners(0);
    this.on("error", (error) => {
      this.lost ??= error;
    });
    this.on("end", () => {
      this.lost ??= new Error("Connection terminated");
    });
    this.on("drain", () => {
      this.busySince = 0;
      this.settling = false;
    });
    this.driver.on("errorMessage", (error) => {
      this.settling = true;
      if (this.getTransactionStatus() !== "E") this.failedWith = error;
      else if (error.code === "25P02") error.cause ??= this.failedWith;
      // The server ends the session. Other words for it, in another language, are followed by the end in a moment.
      if (["FATAL", "PANIC"].includes(error.severity ?? "")) this.lost ??= error;
    });
    this.driver.on("parameterStatus", ({ parameterName, parameterValue }) => {
      this.parameters.set(parameterName, parameterValue);
    });
  }

  get driver(): DriverConnection {
    return this.connection as unknown as DriverConnection;
  }

  /** Process id of the server's session. */
  get pid(): number | undefined {
    return (this as unknown as { processID: number | null }).processID ?? undefined;
  }

  /** A statement is running. */
  get busy(): boolean {
    return this.busySince !== 0 && !this.settling && this.lost === undefined;
  }

  /** Waits until the session is ready: an error reaches its caller before the state of the transaction does. */
  ready(): Promise<void> {
    if (this.busySince === 0 || this.lost !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.off("drain", done);
        this.off("end", done);
        resolve();
      };
      this.on("drain", done);
      this.on("end", done);
    });
  }

  /** The session can run statements, and is in no transaction. */
  get idle(): boolean {
    return this.lost === undefined && this.busySince === 0 && this.getTransactionStatus() === "I";
  }

  /**
   * Waits for work of another library on this client, such as a cursor, and fails if the connection is lost meanwhile.
   * Such a library may wait for an answer for ever.
   */
  async whileConnected<T>(work: Promise<T>): Promise<T> {
    if (this.lost !== undefined) {
      work.catch(() => {});
      throw this.lost;
    }
    let stop = () => {};
    const ended = new Promise<never>((_, reject) => {
      const fail = () => reject(this.lost ?? new Error("Connection terminated"));
      this.on("end", fail);
      stop = () => this.off("end", fail);
    });
    try {
      return await Promise.race([work, ended]);
    } finally {
      stop();
    }
  }

  /** Prepares the client for a user who may change its session, its type parsers and its listeners. */
  lend(): void {
    this.needsReset = true;
    this.#ownListeners ??= new Map(this.eventNames().map((event) => [event, this.rawListeners(event)]));
  }

  /** Removes what the user changed in the client itself. */
  restore(): void {
    if (this.#ownListeners === undefined) return;
    for (const event of this.eventNames())
      for (const listener of this.rawListeners(event))
        if (!this.#ownListeners.get(event)?.includes(listener)) this.off(event, listener as () => void);
    this.#ownListeners = undefined;
    Object.assign((this as unknown as { _types: object })._types, { text: {}, binary: {} });
  }

  get serverVersion(): number {
    return versionNumber(this.parameters.get("server_version"));
  }

  /** Sends no statement any more, also none that waits for another one. */
  refuseStatements(): void {
    const driver = this as unknown as { _queryable: boolean; _pulseQueryQueue(): void };
    driver._queryable = false;
    driver._pulseQueryQueue = () => {};
  }

  /** Closes the socket at once. Statements that run fail. */
  destroy(reason = new Error("Connection terminated by the pool")): void {
    this.lost ??= reason;
    this.driver.stream.destroy();
  }
}

/** Overrides `query` to record what runs. One definition serves the driver's six signatures. */
function recordStatements(prototype: pg.Client): void {
  const inherited = pg.Client.prototype.query as (...args: unknown[]) => unknown;
  Object.defineProperty(prototype, "query", {
    configurable: true,
    writable: true,
    value(this: ServerClient, ...args: unknown[]) {
      const [first] = args;
      const { busySince } = this;
      this.busySince = performance.now();
      this.lastText = typeof first === "string" ? first : (first as { text?: string } | null | undefined)?.text;
      try {
        return inherited.apply(this, args);
      } catch (error) {
        // The driver refused the arguments, and sent nothing.
        this.busySince = busySince;
        throw error;
      }
    },
  });
}
recordStatements(ServerClient.prototype);

/** Creates the class whose instances pg-pool constructs. */
export function clientClass(runtime: ClientRuntime): new () => ServerClient {
  const { servers } = runtime;
  return class extends ServerClient {
    constructor() {
      const server = servers.closed ? undefined : servers.choose();
      super(server === undefined ? { user: "none", password: "" } : runtime.config(server), server);
    }

    /** Connects as pg-pool asks, with a callback: logs in, sets up the session, and checks the server's role. */
    // biome-ignore lint/suspicious/noExplicitAny: the driver's overloads have no common signature
    override connect(callback?: any): any {
      const connected = callback as Connected;
      const { server } = this;
      if (server === undefined) {
        process.nextTick(connected, new NoServerError(servers.describe()));
        return;
      }
      servers.began(server);
      this.#login(server).then(
        (role) => {
          const accepted = servers.accepts(server, role);
          servers.succeeded(server, role);
          if (accepted) return connected();
          this.end().catch(() => {});
          connected(new WrongRoleError(servers.describe()));
        },
        (error: Error) => {
          servers.failed(server, error);
          this.destroy(error);
          connected(error);
        },
      );
    }

    async #login(server: Server): Promise<SessionRole> {
      // The driver's own limit ends with the login, and a server can freeze after it.
      const timer = setTimeout(
        () => this.destroy(new Error(`no answer within ${Math.round(runtime.hostTimeoutMs)} ms`)),
        runtime.hostTimeoutMs,
      );
      try {
        await new Promise<void>((resolve, reject) => {
          super.connect(((error: Error | null) => (error ? reject(error) : resolve())) as (error: Error) => void);
        });
        const setup = runtime.setup(this.serverVersion);
        if (setup !== "") await this.query(setup);
        this.expiresAt = performance.now() + runtime.lifetimeMs();
        return roleFromParameters(this.parameters) ?? (await askRole(this));
      } catch (error) {
        if (codeOf(error) === "28P01" && (await runtime.passwordChanged()))
          throw new PasswordChangedError(`The password was changed during the login at ${server.host}.`, {
            cause: error,
          });
        throw this.lost ?? error;
      } finally {
        clearTimeout(timer);
      }
    }
  };
}
