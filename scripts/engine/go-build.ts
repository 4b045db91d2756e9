import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { OperationError } from "../errors/operation-error.ts";
import { type GoModule, readGoSettings, whyGoTooOld, whyNoModules } from "./go-toolchain.ts";
import type { Variables } from "./locations.ts";
import { isOffline } from "./reachability.ts";
import { engineVersion, languageHostVersion } from "./versions.ts";

/** One binary of the exception: built from its Go modules where the official download cannot be had. */
export interface GoBinary {
  name: string;
  /** Folder with the `go.mod` and `go.sum` that pin every module of the build. */
  folder: string;
  package: string;
  module: GoModule;
}

const versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

export const engineBinary: GoBinary = {
  name: "pulumi",
  folder: join(import.meta.dirname, "go", "engine"),
  package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
  module: { path: "github.com/pulumi/pulumi/pkg/v3", version: `v${engineVersion}` },
};

export const languageHostBinary: GoBinary = {
  name: "pulumi-language-nodejs",
  folder: join(import.meta.dirname, "go", "language-host"),
  package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
  module: { path: "github.com/pulumi/pulumi/sdk/v3", version: `v${languageHostVersion}` },
};

/** Why these binaries cannot be built here; undefined when a build is worth starting. Known within seconds. */
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

/** The `go` line of a folder's go.mod. */
export function requiredGo(folder: string): string {
  return /^go (\S+)$/m.exec(readFileSync(join(folder, "go.mod"), "utf8"))?.[1] ?? "0";
}

/**
 * Builds one binary into `<staging>/bin`; minutes for the engine. The user's Go settings hold (GOPROXY, GOFLAGS,
 * caches), except those that would change what is built.
 *
 * @throws OperationError with Go's last lines
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
  // Without the stamp `pulumi version` prints nothing and the Automation API refuses the engine.
  const ldflags = `-s -w -X ${versionVariable}=${binary.module.version}`;
  const args = ["build", "-v", "-trimpath", "-mod=readonly", "-buildvcs=false", "-ldflags", ldflags, "-o", output];
  const offline = isOffline(env) ? { GOPROXY: "off" } : {};
  // Without cgo the same binary comes out with and without a C compiler, as in the official distribution for Linux.
  const variables = { ...env, ...offline, GOWORK: "off", CGO_ENABLED: "0" };
  await runGo([...args, binary.package], { cwd: binary.folder, env: variables, news, signal });
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

/** What Go said at the end, without its progress lines and without credentials of a proxy URL. */
function lastLines(lines: readonly string[]): string {
  return lines
    .filter((line) => line.trim() !== "" && !line.startsWith("go: downloading ") && /[\s:]/.test(line))
    .slice(-8)
    .join("\n")
    .replace(/\/\/[^/\s@]+@/g, "//");
}
