import { join } from "node:path";
import { readFileIfThere, writeFileAtomically } from "../core/atomic-file.ts";
import { cacheFolder } from "./cache-folder.mjs";
import type { Variables } from "./locations.ts";
import type { ProviderPackage } from "./provider-packages.ts";

/** Time in ms for which a failed download is not retried automatically. `engine install` retries at once. */
const rememberedForMs = 60 * 60_000;

interface Fault {
  reason: string;
  /** Time in ms since 1970. */
  at: number;
}

/** Returns the reason of the last failed download, as long as it is remembered. */
export function rememberedFault(plugin: ProviderPackage, env: Variables, now = Date.now()): string | undefined {
  const text = readFileIfThere(faultFile(plugin, env));
  if (text === undefined) return undefined;
  const fault = parseFault(text);
  // A time in the future means that the clock was set back. One attempt too many is better than none for a long time.
  if (fault === undefined || fault.at > now || now - fault.at > rememberedForMs) return undefined;
  return fault.reason;
}

/** Remembers why the download failed, so that machines without network access do not wait at each command. */
export function rememberFault(plugin: ProviderPackage, reason: string, env: Variables): void {
  const fault: Fault = { reason, at: Date.now() };
  try {
    writeFileAtomically(faultFile(plugin, env), `${JSON.stringify(fault)}\n`);
  } catch {
    // Without a writable cache the next command tries again; nothing else is lost.
  }
}

function faultFile({ name, version }: ProviderPackage, env: Variables): string {
  return join(cacheFolder(env), "plugin-downloads", `${name}-${version}.json`);
}

function parseFault(text: string): Fault | undefined {
  try {
    const fault: Partial<Fault> | null = JSON.parse(text);
    if (typeof fault?.reason !== "string" || typeof fault.at !== "number") return undefined;
    return { reason: fault.reason, at: fault.at };
  } catch {
    // If the file is not readable, the download is tried again; nothing else is lost.
    return undefined;
  }
}
