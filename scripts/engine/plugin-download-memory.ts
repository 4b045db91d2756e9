import { join } from "node:path";
import { readFileIfThere, writeFileAtomically } from "./atomic-file.ts";
import { cacheFolder } from "./cache-folder.mjs";
import type { Variables } from "./locations.ts";
import type { ProviderPackage } from "./provider-packages.ts";

/** For how long, in ms, a failed download is not tried again by itself; `engine install` tries at once. */
const rememberedForMs = 60 * 60_000;

interface Fault {
  reason: string;
  /** Epoch, ms. */
  at: number;
}

/** Why the last download failed, while that is remembered. */
export function rememberedFault(plugin: ProviderPackage, env: Variables, now = Date.now()): string | undefined {
  const text = readFileIfThere(faultFile(plugin, env));
  if (text === undefined) return undefined;
  const fault = parseFault(text);
  // A time in the future is a clock set back; better one attempt too many than none for long.
  if (fault === undefined || fault.at > now || now - fault.at > rememberedForMs) return undefined;
  return fault.reason;
}

/** Remembers why the download failed, so that machines without access do not wait at each run. */
export function rememberFault(plugin: ProviderPackage, reason: string, env: Variables): void {
  const fault: Fault = { reason, at: Date.now() };
  try {
    writeFileAtomically(faultFile(plugin, env), `${JSON.stringify(fault)}\n`);
  } catch {
    // Without a writable cache the next run tries again; nothing else is lost.
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
    // An unreadable memory only costs one more attempt.
    return undefined;
  }
}
