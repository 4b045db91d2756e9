import http from "node:http";
import type { Variables } from "./locations.ts";

/** Time in ms, DNS lookup included, after which a host counts as unreachable. */
export const answerWithinMs = 3_000;

/**
 * Returns the reason why a URL cannot be fetched; undefined if it can. The reason contains only the host, because a URL
 * can contain a token.
 */
export async function whyUnreachable(
  url: string,
  accepts: (status: number) => boolean,
  timeoutMs = answerWithinMs,
): Promise<string | undefined> {
  const target = new URL(url);
  const host = target.host;
  // fetch refuses URLs with credentials. An answer that asks for credentials also shows that the host is reachable.
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

/** Runs `work` with the environment's proxy variables applied to Node's own requests, as curl and Go do. */
export async function throughProxies<T>(env: Variables, work: () => Promise<T>): Promise<T> {
  const restore = http.setGlobalProxyFromEnv(env);
  try {
    return await work();
  } finally {
    restore();
  }
}

/** Returns true if the user forbids network access: `PGW_OFFLINE=1`. */
export function isOffline(env: Variables): boolean {
  return env.PGW_OFFLINE === "1" || env.PGW_OFFLINE === "true";
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause;
  if (cause instanceof Error) return "code" in cause ? String(cause.code) : cause.message;
  return error.message;
}
