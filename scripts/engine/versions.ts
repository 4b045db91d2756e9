import satisfies from "semver/functions/satisfies.js";

/** The engine that is downloaded or built: the version of `@pulumi/pulumi` in package.json and of `go/engine/go.mod`. */
export const engineVersion = "3.259.0";

/**
 * The Node language host that is built, the last one published as a Go module (`go/language-host/go.mod`). The official
 * distribution brings its own.
 */
export const languageHostVersion = "3.50.0";

/** Engines that work with the kit's `@pulumi/pulumi`. */
export const compatibleEngines = `>=${engineVersion} <4`;

/** Whether an engine of this version can run the kit's program; pre-releases of a later version count as that version. */
export function isCompatibleEngine(version: string): boolean {
  return satisfies(version, compatibleEngines, { includePrerelease: true });
}

/** Node's name of this platform, e.g. `linux-x64`: part of a cache folder's name, since homes are shared between machines. */
export function platformName(): string {
  return `${process.platform}-${process.arch}`;
}

/** The official downloads' name of this platform, e.g. `linux-x64`, `darwin-arm64`; their plugins say `amd64` for x64. */
export function downloadPlatform(kind: "engine" | "plugin"): string {
  return `${process.platform}-${kind === "plugin" && process.arch === "x64" ? "amd64" : process.arch}`;
}
