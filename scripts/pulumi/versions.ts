import satisfies from "semver/functions/satisfies.js";

/**
 * Version of the engine that is downloaded or built. Same as `@pulumi/pulumi` in package.json and in
 * `go/engine/go.mod`.
 */
export const engineVersion = "3.259.0";

/**
 * Version of the Node language host that is built: the last one published as a Go module (`go/language-host/go.mod`).
 * The official distribution contains its own.
 */
export const languageHostVersion = "3.50.0";

/** Range of engine versions that work with the kit's `@pulumi/pulumi`. */
export const compatibleEngines = `>=${engineVersion} <4`;

/**
 * Returns true if an engine of this version can run the kit's program. Pre-releases of a later version count as that
 * version.
 */
export function isCompatibleEngine(version: string): boolean {
  return satisfies(version, compatibleEngines, { includePrerelease: true });
}

/**
 * Returns Node's name of this platform, such as `linux-x64`. Cache folders contain it, because machines can share a
 * home.
 */
export function platformName(): string {
  return `${process.platform}-${process.arch}`;
}

/**
 * Returns the platform's name in official downloads, such as `linux-x64` or `darwin-arm64`. Plugins use `amd64` for
 * x64.
 */
export function downloadPlatform(kind: "engine" | "plugin"): string {
  return `${process.platform}-${kind === "plugin" && process.arch === "x64" ? "amd64" : process.arch}`;
}
