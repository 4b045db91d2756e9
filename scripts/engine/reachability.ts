import http from "node:http";
import type { Variables } from "./locations.ts";

/** How long a host may take to answer, in ms, before it counts as out of reach. DNS lookup included. */
export const answerWithinMs = 3_000;

/** Whether a URL can be had: undefined when it can, else the reason. Only the host is named, a URL may hold a token. */
export async function whyUnreachable(
  url: string,
  accepts: (status: number) => boolean,
  timeoutMs = answerWithinMs,
): Promise<string | undefined> {
  const target = new URL(url);
  const host = target.host;
  // fetch refuses URLs with credentials; an answer that asks for them shows as well that the host is there.
  target.username = "";
  target.password = "";
  try {
    const response = await fetch(target, { method: "HEAD", signal: AbortSignal.timeout(timeoutMs) });
    return accepts(response.status) ? undefined : `${host} answers ${response.status}`;
  } catch (error) {
    if (error instanceof Error && error.name === "TimeoutError")
      return `${host} does not answer within ${timeoutMs / 1000} s`;
    return `${host} is not reachable (${causeOf(error)})`;
  }
}

/** Runs `work` with the proxy variables of the environment applied to Node's own requests, as curl and Go apply them. */
export async function throughProxies<T>(env: Variables, work: () => Promise<T>): Promise<T> {
  const restore = http.setGlobalProxyFromEnv(env);
  try {
    return await work();
  } finally {
    restore();
  }
}

/** Whether the user asked for no network at all: `PGW_OFFLINE=1`. */
export function isOffline(env: Variables): boolean {
  return env.PGW_OFFLINE === "1" || env.PGW_OFFLINE === "true";
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause;
  if (cause instanceof Error) return "code" in cause ? String(cause.code) : cause.message;
  return error.message;
}
