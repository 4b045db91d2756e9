import { realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { checkEngine, checkLanguageHost } from "./binary-check.ts";
import { cacheFolder } from "./cache-folder.mjs";
import { type ArtifactSource, readArtifact } from "./installed-artifact.ts";
import { engineFolder, languageHostFolder, type Variables } from "./locations.ts";
import { allOnPath, findOnPath, isExecutableFile } from "./path-search.ts";
import { compatibleEngines, isCompatibleEngine, languageHostVersion } from "./versions.ts";

/** Origin of a binary. `path`: the user's own, found on PATH. Otherwise the way it got into the kit's cache. */
export type EngineSource = "path" | ArtifactSource;

export interface FoundEngine {
  path: string;
  version: string;
  source: EngineSource;
}

export interface FoundLanguageHost {
  path: string;
  source: EngineSource;
}

/** Engine and language host found on the machine. */
export interface EngineLookup {
  engine?: FoundEngine;
  languageHost?: FoundLanguageHost;
  /** Candidates that were rejected, each with the reason. */
  rejected: string[];
}

/** An engine with a language host. */
export type CompleteEngine = Required<EngineLookup>;

const hostName = "pulumi-language-nodejs";

export function isComplete(lookup: EngineLookup): lookup is CompleteEngine {
  return lookup.engine !== undefined && lookup.languageHost !== undefined;
}

/** Looks for a compatible engine on PATH, then in the kit's cache. Downloads and builds nothing. */
export async function findEngine(env: Variables): Promise<EngineLookup> {
  const rejected: string[] = [];
  const engine = (await engineOnPath(env, rejected)) ?? (await engineInCache(env, rejected));
  if (engine === undefined) return { rejected };
  const languageHost = await languageHostFor(engine, env, rejected);
  return languageHost === undefined ? { engine, rejected } : { engine, languageHost, rejected };
}

async function engineOnPath(env: Variables, rejected: string[]): Promise<FoundEngine | undefined> {
  // After `engine env` the cache itself is on PATH. Its engine is checked by the rules for the cache.
  const path = allOnPath("pulumi", env).find((candidate) => !isInCache(candidate, env));
  if (path === undefined) {
    rejected.push("PATH: no pulumi");
    return undefined;
  }
  const answer = await checkEngine(path, env);
  if ("fault" in answer) {
    rejected.push(`PATH: ${answer.fault}`);
    return undefined;
  }
  if (!isCompatibleEngine(answer.version)) {
    rejected.push(`PATH: ${path} is version ${answer.version}, required is ${compatibleEngines}`);
    return undefined;
  }
  return { path, version: answer.version, source: "path" };
}

/** Returns the cached engine if it is usable. */
async function engineInCache(env: Variables, rejected: string[]): Promise<FoundEngine | undefined> {
  const folder = engineFolder(env);
  const artifact = readArtifact(folder);
  if (artifact.state !== "whole") {
    rejected.push(artifact.state === "absent" ? `cache: nothing in ${folder}` : `cache: ${artifact.fault}`);
    return undefined;
  }
  const { version, source } = artifact.manifest;
  const path = join(folder, "bin", "pulumi");
  const answer = await checkEngine(path, env);
  if ("fault" in answer) {
    rejected.push(`cache: ${answer.fault}`);
    return undefined;
  }
  if (answer.version !== version) {
    rejected.push(`cache: ${path} reports version ${answer.version} instead of ${version}`);
    return undefined;
  }
  return { path, version, source };
}

async function languageHostFor(
  engine: FoundEngine,
  env: Variables,
  rejected: string[],
): Promise<FoundLanguageHost | undefined> {
  if (engine.source !== "path") return hostInCache(engineFolder(env), env, rejected);
  // The engine uses the language host on PATH, else the one beside its own file.
  const own = [
    ...allOnPath(hostName, env).filter((candidate) => !isInCache(candidate, env)),
    join(dirname(realpathSync(engine.path)), hostName),
  ].find(isExecutableFile);
  if (own !== undefined) return { path: own, source: "path" };
  rejected.push(`PATH: ${engine.path} has no ${hostName} beside it`);
  return (
    (await hostInCache(languageHostFolder(env), env, rejected)) ?? (await hostInCache(engineFolder(env), env, rejected))
  );
}

/** Returns the language host in a folder of the cache. */
async function hostInCache(folder: string, env: Variables, rejected: string[]): Promise<FoundLanguageHost | undefined> {
  const artifact = readArtifact(folder);
  if (artifact.state !== "whole") {
    rejected.push(artifact.state === "absent" ? `cache: nothing in ${folder}` : `cache: ${artifact.fault}`);
    return undefined;
  }
  const path = join(folder, "bin", hostName);
  const answer = await checkLanguageHost(path, languageHostVersion, env);
  if ("fault" in answer) {
    rejected.push(`cache: ${answer.fault}`);
    return undefined;
  }
  return { path, source: artifact.manifest.source };
}

/** Returns true if a shell with this PATH would start this engine as `pulumi`. */
export function isFirstOnPath(path: string, env: Variables): boolean {
  return findOnPath("pulumi", env) === path;
}

function isInCache(path: string, env: Variables): boolean {
  return path.startsWith(cacheFolder(env) + sep);
}
