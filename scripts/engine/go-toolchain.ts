import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import coerce from "semver/functions/coerce.js";
import lt from "semver/functions/lt.js";
import { isCode } from "./atomic-file.ts";
import type { Variables } from "./locations.ts";
import { isOffline, throughProxies, whyUnreachable } from "./reachability.ts";

/** What `go env` says, as far as it decides whether a build can work. */
export interface GoSettings {
  GOVERSION: string;
  GOTOOLCHAIN: string;
  GOPROXY: string;
  GOMODCACHE: string;
}

/** A module that the build needs; when it is in the module cache, the others most likely are. */
export interface GoModule {
  path: string;
  version: string;
}

/** The settings of the `go` on PATH, or why there are none. */
export function readGoSettings(env: Variables): Promise<GoSettings | { fault: string }> {
  const names = ["GOVERSION", "GOTOOLCHAIN", "GOPROXY", "GOMODCACHE"];
  // Outside the clone, so that no go.mod or go.work there selects another toolchain.
  const options = { cwd: tmpdir(), env: { ...env, GOWORK: "off" }, timeout: 10_000 };
  return new Promise((done) => {
    execFile("go", ["env", "-json", ...names], options, (error, stdout, stderr) => {
      if (error === null) done(JSON.parse(stdout));
      else if (isCode(error, "ENOENT")) done({ fault: "go is not on PATH" });
      else done({ fault: `\`go env\` failed: ${stderr.trim() || error.message}` });
    });
  });
}

/** Why this Go cannot build modules that want `required` (as in `go 1.25.11`); undefined when it can, or fetches one that can. */
export function whyGoTooOld(settings: GoSettings, required: string): string | undefined {
  const version = coerce(settings.GOVERSION);
  // A development build of Go names no release; the build itself will tell.
  const needed = coerce(required);
  if (version === null || needed === null || !lt(version, needed)) return undefined;
  const fetchesNewer = settings.GOTOOLCHAIN !== "local" && !lt(version, "1.21.0");
  if (fetchesNewer) return undefined;
  const locked = settings.GOTOOLCHAIN === "local" ? " and GOTOOLCHAIN=local forbids fetching it" : "";
  return `go on PATH is ${version.version}, needed is ${required} or newer${locked}`;
}

/** Why the Go modules cannot be had; undefined when they are in the module cache or a proxy answers. Known within seconds. */
export async function whyNoModules(
  module: GoModule,
  settings: GoSettings,
  env: Variables,
): Promise<string | undefined> {
  if (existsSync(join(settings.GOMODCACHE, "cache", "download", module.path, "@v", `${module.version}.zip`)))
    return undefined;
  if (isOffline(env)) return "PGW_OFFLINE is set and the Go module cache does not hold the engine";
  const proxies = settings.GOPROXY.split(/[,|]/).filter((proxy) => proxy !== "");
  const web = proxies.filter((proxy) => /^https?:/.test(proxy));
  // file:// proxies and `direct` cannot be asked this way; Go will find out.
  if (proxies.some((proxy) => proxy !== "off" && proxy !== "direct" && !web.includes(proxy))) return undefined;
  if (web.length === 0) return proxies.includes("direct") ? undefined : `GOPROXY is ${settings.GOPROXY || "empty"}`;
  const info = `${module.path}/@v/${module.version}.info`;
  const reasons = await throughProxies(env, () =>
    Promise.all(web.map((proxy) => whyUnreachable(`${proxy.replace(/\/$/, "")}/${info}`, (status) => status < 500))),
  );
  return reasons.includes(undefined) ? undefined : `the Go module proxy is out of reach: ${reasons.join("; ")}`;
}
