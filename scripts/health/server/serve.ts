import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { LRUCache } from "lru-cache";
import type { Connection } from "../../connection/connection.ts";
import { OperationError } from "../../core/operation-error.ts";
import type { HealthSettings } from "../collector.ts";
import { forecastDisk } from "../forecast.ts";
import { History } from "../history.ts";
import { Monitor } from "../monitor.ts";
import { Probe, type ProbeResult } from "../probe.ts";
import { prometheusText, prometheusType } from "../prometheus.ts";
import type { Snapshot } from "../snapshot.ts";
import { namesOf, refusal, requireSafe } from "./access.ts";
import { dashboardPath, openApi } from "./openapi.ts";
import { refreshing, statusPage } from "./page.ts";
import { adminActivityView, adminHealthView, adminPerformanceView, databaseView, metricsView } from "./views.ts";

export interface HealthServerOptions {
  connection: Connection;
  settings: HealthSettings;
  /** Address to listen on. Default: 127.0.0.1. */
  host?: string;
  /** 0 for any free port. */
  port: number;
  token?: string | undefined;
  /** Other names of this server in the Host header. */
  hostNames?: readonly string[];
  /** File of the history. undefined: in memory only. */
  historyFile?: string | undefined;
  /** Reads the numbers of an application's dashboard. undefined: none is served. */
  dashboard?: Dashboard | undefined;
  /** Version of the kit. */
  version: string;
}

/**
 * The numbers of an application's dashboard, or the reason why they are not served. They are data of the application,
 * so they are served only with a token.
 */
export type Dashboard = { read: () => Promise<unknown> } | { reason: string };

/** A health server that runs until it is stopped. */
export interface HealthServer {
  url: string;
  stop(): Promise<void>;
}

/** Result of an endpoint: JSON, or text of a type. */
interface Reply {
  status?: number;
  json?: unknown;
  text?: string;
  type?: string;
}

/** An answer as it is sent. */
interface Answer {
  status: number;
  type: string;
  body: Buffer;
}

/**
 * Starts the health server. It takes snapshots at an interval, answers requests from the last one, and never changes
 * anything.
 *
 * @throws OperationError if it cannot listen, or if a token is necessary
 */
export async function serveHealth(options: HealthServerOptions): Promise<HealthServer> {
  const { connection, settings, host = "127.0.0.1", port, token } = options;
  requireSafe(host, token);
  const history = new History(options.historyFile, settings.maxStored);
  const [monitor, probe] = [new Monitor(connection, settings), new Probe(connection, settings.intervalMs)];
  const hosts = namesOf(host, options.hostNames ?? []);
  const startedAt = performance.now();
  const dashboard =
    token === undefined
      ? { reason: "It is served only with a token: set PGW_HEALTH_TOKEN." }
      : (options.dashboard ?? { reason: "This health server has no dashboard." });
  const reply = replier({ history, monitor, probe, settings, startedAt, dashboard, version: options.version });

  const observe = async () => {
    const [result, observation] = await Promise.all([probe.ask(), monitor.observe(0)]);
    history.add(observation, result.answers);
  };
  const answers = new LRUCache<string, Answer, URL>({
    ...sharing,
    fetchMethod: async (_address, _expired, { context: url }) => encoded(await reply(url)),
  });
  const server = createServer(limits, (request, response) => {
    void answer(request, response, { hosts, token, answers });
  });
  harden(server);
  await listen(server, host, port);
  void observe().catch(reportUnexpected);
  const timer = setInterval(() => void observe().catch(reportUnexpected), settings.intervalMs);
  const address = server.address() as AddressInfo;
  const shown = host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${shown}:${address.port}`,
    stop: async () => {
      clearInterval(timer);
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      probe.close();
    },
  };
}

/**
 * Requests for one address at the same time, or within this time in ms, share an answer. Clients that ask much and read
 * slowly then cost neither processor time nor memory.
 */
const sharing = { max: 20, ttl: 250 };

/** Limits against slow and large requests. */
const limits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8_192,
};

/** Connections at the same time. A thousand that ask nothing leave room for others, until they are closed after 5 s. */
const maxConnections = 2_000;

function harden(server: Server): void {
  server.maxConnections = maxConnections;
  // A client that does not read its answer.
  server.setTimeout(10_000, (socket) => socket.destroy());
  server.on("clientError", (_, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    else socket.destroy();
  });
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === "EADDRINUSE" ? "the port is in use by another process" : cause.message;
      reject(
        new OperationError(`Cannot listen on ${host}:${port}: ${reason}.`, { hint: "Choose another --port.", cause }),
      );
    });
    server.listen({ host, port }, resolve);
  });
}

const headers = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
};

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  {
    hosts,
    token,
    answers,
  }: { hosts: readonly string[]; token: string | undefined; answers: LRUCache<string, Answer, URL> },
): Promise<void> {
  const url = parseUrl(request.url);
  const refused = refusal(request, { hosts, token, path: url?.pathname ?? "" });
  const { status, type, body } =
    refused !== undefined
      ? encoded(failed(refused.status, refused.message))
      : url === undefined
        ? encoded(failed(400, "The address is not valid."))
        : await sharedAnswer(answers, url);
  const extra = {
    ...(status === 401 ? { "www-authenticate": 'Basic realm="pgroundwork"' } : {}),
    ...(status === 405 ? { allow: "GET, HEAD" } : {}),
  };
  // Keeps no body of a refused request waiting.
  request.resume();
  response.writeHead(status, { ...headers, ...extra, "content-type": type, "content-length": body.length });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function sharedAnswer(answers: LRUCache<string, Answer, URL>, url: URL): Promise<Answer> {
  try {
    return await answers.forceFetch(`${url.pathname}${url.search}`, { context: url });
  } catch (error) {
    reportUnexpected(error);
    return encoded(failed(500, "The health server failed. Its log has the reason."));
  }
}

function encoded(reply: Reply): Answer {
  const { status = 200, json, text = `${JSON.stringify(json)}\n`, type = "application/json; charset=utf-8" } = reply;
  return { status, type, body: Buffer.from(text) };
}

function failed(status: number, message: string): Reply {
  return { status, json: { error: { message } } };
}

function parseUrl(text: string | undefined): URL | undefined {
  return URL.canParse(text ?? "", "http://health") && text?.startsWith("/")
    ? new URL(text, "http://health")
    : undefined;
}

interface Sources {
  history: History;
  monitor: Monitor;
  probe: Probe;
  settings: HealthSettings;
  /** In ms, of `performance.now()`. */
  startedAt: number;
  dashboard: Dashboard;
  version: string;
}

function replier({
  history,
  monitor,
  probe,
  settings,
  startedAt,
  dashboard,
  version,
}: Sources): (url: URL) => Promise<Reply> {
  const both = async () => {
    const result = await probe.ask();
    // A new snapshot would wait for a server that does not answer. The values of the last one are not shown then.
    const last = result.answers ? undefined : monitor.last;
    const maxAgeMs = isOutdated(monitor.last?.snapshot, result, probe.failedAt) ? 0 : 2 * settings.intervalMs;
    return { result, observation: last ?? (await monitor.observe(maxAgeMs)) };
  };
  const metrics = async (url: URL): Promise<Reply> => {
    const format = url.searchParams.get("format") ?? "json";
    if (format !== "json" && format !== "prometheus") return failed(400, "format is json or prometheus.");
    const { result, observation } = await both();
    if (format === "prometheus") return { text: await prometheusText(observation, result), type: prometheusType };
    return { json: metricsView(observation, result, history, url.searchParams.get("detailed") === "true") };
  };
  const routes: Readonly<Record<string, (url: URL) => Promise<Reply>>> = {
    "/health": async () => ({
      json: { status: "ok", uptimeSeconds: Math.round((performance.now() - startedAt) / 1_000) },
    }),
    "/api/health/database": async (url) => {
      const role = url.searchParams.get("role");
      if (role !== null && role !== "primary" && role !== "replica") return failed(400, "role is primary or replica.");
      const { status, body } = databaseView(await probe.ask(), settings, role);
      return { status, json: body };
    },
    "/api/health/database/metrics": metrics,
    "/v1/database/metrics": metrics,
    "/api/admin/database-health": async () => {
      const { result, observation } = await both();
      return { json: adminHealthView(observation, result, history) };
    },
    "/api/admin/database-activity": async () => {
      const { result, observation } = await both();
      return { json: adminActivityView(observation, result) };
    },
    "/api/admin/performance-metrics": async () => {
      const { result, observation } = await both();
      return { json: adminPerformanceView(observation, result) };
    },
    [dashboardPath]: async () => {
      if ("reason" in dashboard) return failed(501, dashboard.reason);
      try {
        return { json: await dashboard.read() };
      } catch (error) {
        reportUnexpected(error);
        return failed(
          503,
          "The database did not answer the dashboard's queries. The health server's log has the reason.",
        );
      }
    },
    "/openapi.json": async () => ({ json: openApi(version) }),
    "/": async (url) => {
      const { result, observation } = await both();
      const isRefreshing = url.searchParams.get(refreshing.name) === refreshing.seconds;
      const facts = {
        parts: observation.snapshot.parts,
        databases: observation.snapshot.databases,
        unreachable: result.answers ? undefined : result.reason,
        space: history.space,
        forecast: forecastDisk(history.space),
      };
      const view = metricsView(observation, result, history, true);
      return { text: statusPage(view, facts, version, isRefreshing), type: "text/html; charset=utf-8" };
    },
  };
  return async (url) => {
    const route = Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined;
    return route === undefined ? failed(404, "There is no such endpoint. /openapi.json lists them.") : route(url);
  };
}

/** Returns true if the server was restarted, promoted or replaced since a snapshot, as far as the probe can know. */
function isOutdated(snapshot: Snapshot | undefined, result: ProbeResult, failedAt: Date | undefined): boolean {
  if (snapshot === undefined || !result.answers) return false;
  const { server } = snapshot.parts;
  return !server.known || server.value.role !== result.role || (failedAt !== undefined && failedAt > snapshot.takenAt);
}

/** Reports a bug of the health server. It goes on, because the next request or snapshot can succeed. */
function reportUnexpected(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
