import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { kitFolder } from "../core/kit-folder.ts";
import { OperationError } from "../core/operation-error.ts";
import { type GoModule, readGoSettings, whyGoTooOld, whyNoModules } from "./go-toolchain.ts";
import type { Variables } from "./locations.ts";
import { isOffline } from "./reachability.ts";
import { engineVersion, languageHostVersion } from "./versions.ts";

/** A binary that is built from its Go modules if the official download fails. */
export interface GoBinary {
  name: string;
  /** Folder with the `go.mod` and `go.sum` that pin every module of the build. */
  folder: string;
  package: string;
  module: GoModule;
}

/** Folder of the Go modules that require exactly the versions to build. */
const recipes = join(kitFolder, "scripts", "pulumi", "go");

const versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

export const engineBinary: GoBinary = {
  name: "pulumi",
  folder: join(recipes, "engine"),
  package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
  module: { path: "github.com/pulumi/pulumi/pkg/v3", version: `v${engineVersion}` },
};

export const languageHostBinary: GoBinary = {
  name: "pulumi-language-nodejs",
  folder: join(recipes, "language-host"),
  package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
  module: { path: "github.com/pulumi/pulumi/sdk/v3", version: `v${languageHostVersion}` },
};

/**
 * Returns the reason why these binaries cannot be built here; undefined if a build can be tried. Answers within
 * seconds.
 */
export async function whyNoBuild(binaries: readonly GoBinary[], env: Variables): Promise<string | undefined> {
  const settings = await readGoSettings(env);
  if ("fault" in settings) return settings.fault;
  for (const binary of binaries) {
    const reason =
      whyGoTooOld(settings, requiredGo(binary.folder)) ?? (await whyNoModules(binary.module, settings, env));
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Returns the version in the `go` line of a folder's go.mod. */
export function requiredGo(folder: string): string {
  return /^go (\S+)$/m.exec(readFileSync(join(folder, "go.mod"), "utf8"))?.[1] ?? "0";
}

/**
 * Builds one binary into `<staging>/bin`; the engine takes minutes. The user's Go settings apply (GOPROXY, GOFLAGS,
 * caches), except those that would change the result.
 *
 * @throws OperationError with the last lines of Go's output
 */
export async function buildBinary(
  binary: GoBinary,
  staging: string,
  env: Variables,
  news: (detail: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const output = join(staging, "bin", binary.name);
  mkdirSync(join(staging, "bin"), { recursive: true });
  // A killed build leaves more than 1 GB there. In the staging folder, the next run finds and removes it.
  const temporary = join(staging, "go-build");
  mkdirSync(temporary);
  // Without this version `pulumi version` prints nothing, and the Automation API refuses the engine.
  const ldflags = `-s -w -X ${versionVariable}=${binary.module.version}`;
  const args = ["build", "-v", "-trimpath", "-mod=readonly", "-buildvcs=false", "-ldflags", ldflags, "-o", output];
  const offline = isOffline(env) ? { GOPROXY: "off" } : {};
  // Without cgo the result does not depend on a C compiler. The official distribution for Linux is built the same way.
  const variables = { ...env, ...offline, GOWORK: "off", CGO_ENABLED: "0", GOTMPDIR: temporary };
  await runGo([...args, binary.package], { cwd: binary.folder, env: variables, news, signal });
  rmSync(temporary, { recursive: true });
}

interface GoRun {
  cwd: string;
  env: Variables;
  news: (detail: string) => void;
  signal: AbortSignal | undefined;
}

function runGo(args: string[], { cwd, env, news, signal }: GoRun): Promise<void> {
  return new Promise((done, failed) => {
    const stdio: ["ignore", "ignore", "pipe"] = ["ignore", "ignore", "pipe"];
    const go = spawn("go", args, { cwd, env, stdio, ...(signal === undefined ? {} : { signal }) });
    const lines: string[] = [];
    let downloaded = 0;
    let compiled = 0;
    let rest = "";
    go.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) {
        lines.push(line);
        if (line.startsWith("go: downloading ")) news(`modules downloaded: ${++downloaded}`);
        else if (/^[\w./~@-]+$/.test(line)) news(`packages compiled: ${++compiled}`);
      }
    });
    go.on("error", failed);
    go.on("close", (code, killedBy) => {
      if (code === 0) done();
      else failed(new OperationError(`go build ended with ${killedBy ?? code}: ${lastLines([...lines, rest])}`));
    });
  });
}

/** Returns the end of Go's output, without its progress lines and without credentials of a proxy URL. */
function lastLines(lines: readonly string[]): string {
  return lines
    .filter((line) => line.trim() !== "" && !line.startsWith("go: downloading ") && /[\s:]/.test(line))
    .slice(-8)
    .join("\n")
    .replace(/\/\/[^/\s@]+@/g, "//");
}
