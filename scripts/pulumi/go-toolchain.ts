import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import coerce from "semver/functions/coerce.js";
import lt from "semver/functions/lt.js";
import { isCode } from "../core/atomic-file.ts";
import type { Variables } from "./locations.ts";
import { isOffline, throughProxies, whyUnreachable } from "./reachability.ts";

/** Values of `go env` that decide if a build can work. */
export interface GoSettings {
  GOVERSION: string;
  GOTOOLCHAIN: string;
  GOPROXY: string;
  GOMODCACHE: string;
}

/** A module that the build needs. If the module cache contains it, it most likely contains the others, too. */
export interface GoModule {
  path: string;
  version: string;
}

/** Returns the settings of the `go` on PATH, or the reason why there are none. */
export function readGoSettings(env: Variables): Promise<GoSettings | { fault: string }> {
  const names = ["GOVERSION", "GOTOOLCHAIN", "GOPROXY", "GOMODCACHE"];
  // Outside the project directory, so that no go.mod or go.work there selects another toolchain.
  const options = { cwd: tmpdir(), env: { ...env, GOWORK: "off" }, timeout: 10_000 };
  return new Promise((done) => {
    execFile("go", ["env", "-json", ...names], options, (error, stdout, stderr) => {
      if (error === null) done(JSON.parse(stdout));
      else if (isCode(error, "ENOENT")) done({ fault: "go is not on PATH" });
      else done({ fault: `\`go env\` failed: ${stderr.trim() || error.message}` });
    });
  });
}

/**
 * Returns the reason why this Go cannot build modules that require `required` (as in `go 1.25.11`). Undefined if it
 * can, or if it fetches a toolchain that can.
 */
export function whyGoTooOld(settings: GoSettings, required: string): string | undefined {
  const version = coerce(settings.GOVERSION);
  // A development build of Go has no release version; the build itself will show.
  const needed = coerce(required);
  if (version === null || needed === null || !lt(version, needed)) return undefined;
  const fetchesNewer = settings.GOTOOLCHAIN !== "local" && !lt(version, "1.21.0");
  if (fetchesNewer) return undefined;
  const locked = settings.GOTOOLCHAIN === "local" ? " and GOTOOLCHAIN=local forbids fetching it" : "";
  return `go on PATH is ${version.version}, required is ${required} or newer${locked}`;
}

/**
 * Returns the reason why the Go modules cannot be fetched. Undefined if the module cache contains them or a proxy
 * answers. Answers within seconds.
 */
export async function whyNoModules(
  module: GoModule,
  settings: GoSettings,
  env: Variables,
): Promise<string | undefined> {
  if (existsSync(join(settings.GOMODCACHE, "cache", "download", module.path, "@v", `${module.version}.zip`)))
    return undefined;
  if (isOffline(env)) return "PGW_OFFLINE is set, and the Go module cache does not contain the engine";
  const proxies = settings.GOPROXY.split(/[,|]/).filter((proxy) => proxy !== "");
  const web = proxies.filter((proxy) => /^https?:/.test(proxy));
  // file:// proxies and `direct` cannot be checked by an HTTP request; the build will show.
  if (proxies.some((proxy) => proxy !== "off" && proxy !== "direct" && !web.includes(proxy))) return undefined;
  if (web.length === 0) return proxies.includes("direct") ? undefined : `GOPROXY is ${settings.GOPROXY || "empty"}`;
  const info = `${module.path}/@v/${module.version}.info`;
  const reasons = await throughProxies(env, () =>
    Promise.all(web.map((proxy) => whyUnreachable(`${proxy.replace(/\/$/, "")}/${info}`, (status) => status < 500))),
  );
  return reasons.includes(undefined) ? undefined : `the Go module proxy is unreachable: ${reasons.join("; ")}`;
}
