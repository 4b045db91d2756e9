import { AsyncLocalStorage } from "node:async_hooks";
import { inRequestSession } from "./request-session.ts";

/** The person or program that acts, and the request. The databases' audit triggers read these values. */
export interface RequestContext {
  /** `app.user_id` (trading, learning, kyb) */
  userId?: string | undefined;
  /** `app.session_id` (trading) */
  sessionId?: string | undefined;
  /** `app.client_ip` */
  clientIp?: string | undefined;
  /** `app.request_id` */
  requestId?: string | undefined;
  /** `app.api_key_id` (kyb) */
  apiKeyId?: string | undefined;
  /** `app.admin_user_id` (pend) */
  adminUserId?: string | undefined;
}

const settingNames = {
  userId: "app.user_id",
  sessionId: "app.session_id",
  clientIp: "app.client_ip",
  requestId: "app.request_id",
  apiKeyId: "app.api_key_id",
  adminUserId: "app.admin_user_id",
} as const satisfies Record<keyof RequestContext, string>;

const contexts = new AsyncLocalStorage<RequestContext | undefined>();

/**
 * Runs a function in the name of a user or request. Statements that it runs through a pool carry the context, and their
 * sessions have it in `application_name`.
 * A nested call adds to the outer context. The request sees its own writes, also where it reads from standbys.
 */
export function withRequestContext<T>(context: RequestContext, run: () => T): T {
  return inRequestSession(() => contexts.run({ ...contexts.getStore(), ...context }, run));
}

/** Runs a function with this context alone, or with none, whatever the current one is. */
export function withOnlyContext<T>(context: RequestContext | undefined, run: () => T): T {
  return contexts.run(context, run);
}

/** Returns the context of the current request, for log records. */
export function requestContext(): Readonly<RequestContext> | undefined {
  return contexts.getStore();
}

const keys = new WeakMap<RequestContext, string>();

/** A context as one text, to compare it with that of a client. Empty if there is none. */
export function contextKey(context: RequestContext | undefined): string {
  if (context === undefined) return "";
  let key = keys.get(context);
  if (key === undefined) {
    key = JSON.stringify(contextValues(context));
    keys.set(context, key);
  }
  return key;
}

/** Names and values of the settings, in a fixed order. An absent value is empty. */
function contextValues(context: RequestContext): string[] {
  return Object.keys(settingNames).map((name) => context[name as keyof RequestContext] ?? "");
}

/** Parts of a context in `application_name`, the most important first. */
const identifying = [
  ["request", "requestId"],
  ["user", "userId"],
  ["admin", "adminUserId"],
  ["key", "apiKeyId"],
] as const satisfies [string, keyof RequestContext][];

/**
 * Returns the `application_name` of a request's statements, such as `shop request=r1 user=7`. `pg_stat_activity` shows
 * its first 63 bytes.
 */
function applicationNameOf(context: RequestContext, pool: string): string {
  const parts = identifying.flatMap(([name, key]) => (context[key] ? [`${name}=${context[key]}`] : []));
  return [pool, ...parts].join(" ");
}

const settingsText = (local: boolean) =>
  `select ${[...Object.values(settingNames), "application_name"]
    .map((setting, index) => `pg_catalog.set_config('${setting}', $${index + 1}, ${local})`)
    .join(", ")}`;
const texts = { local: settingsText(true), session: settingsText(false) };

/**
 * Returns the statement that sets the context, or none. An absent value is set to empty, which the databases read as
 * none.
 *
 * @param lasts in the session, or only in its transaction
 */
export function contextStatement(
  context: RequestContext | undefined,
  lasts: "local" | "session",
  { applicationName }: { applicationName: string },
): { text: string; values: string[] } {
  const { [lasts]: text } = texts;
  const given = context ?? {};
  return { text, values: [...contextValues(given), applicationNameOf(given, applicationName)] };
}
