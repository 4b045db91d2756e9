import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isAbsent } from "../core/absent.ts";
import { OperationError } from "../core/operation-error.ts";
import { type DrillPlan, defaultDrillSchedule, defaultMaxAge } from "../model/drill-plan.ts";
import { parseDuration } from "../model/duration.ts";
import { isRealStack } from "../model/real-data.ts";
import { scheduleFault } from "../model/schedule.ts";

/** Kind of a stack's server. */
export type ServerKind = "embedded" | "docker" | "external";

/** A stack's settings, even if it was never brought up. */
export interface DeclaredSettings {
  /** True if the stack holds real data. */
  protected: boolean;
  /** Location of the server's data. undefined for the server's own folder. */
  dataDirectory: string | undefined;
  databases: string[];
  kind: ServerKind;
  /** URL of an external server. */
  url: string | undefined;
  /** Docker engine of a server in a container. The host is undefined for the local engine. */
  docker: { host: string | undefined } | undefined;
  /** Planned restore drills. undefined if there are none. */
  drill: Pick<DrillPlan, "maxAgeSeconds" | "required"> | undefined;
  /** True if dumps are planned. */
  plansDumps: boolean;
}

/**
 * Reads the settings that erasing depends on from the settings files. The engine returns settings only for a stack that
 * has a state. The program checks them only when it runs, so an invalid value is read in the most careful way here.
 *
 * @param root project directory
 * @throws OperationError if a file cannot be read or is not valid YAML
 */
export async function declaredSettings(root: string, stack: string): Promise<DeclaredSettings> {
  const ofProject = await configOf(join(root, "Pulumi.yaml"));
  const ofStack = await configOf(join(root, `Pulumi.${stack}.yaml`));
  const setting = (name: string): unknown =>
    ofStack[`pgroundwork:${name}`] ??
    ofStack[name] ??
    projectValue(ofProject[name] ?? ofProject[`pgroundwork:${name}`]);
  const isProtected = setting("protected") ?? isRealStack(stack);
  return {
    protected: String(isProtected) !== "false",
    dataDirectory: text(setting("dataDirectory")),
    databases: names(setting("databases")),
    kind: kindOf(setting("server")),
    url: text(setting("url")),
    docker: setting("server") === "docker" ? { host: text(setting("dockerHost")) } : undefined,
    drill: drillIn(setting("backups")),
    plansDumps: dumpsIn(setting("backups")),
  };
}

async function configOf(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (isAbsent(error)) return {};
    throw new OperationError(`Cannot read the settings in ${path}: ${(error as Error).message}`, { cause: error });
  }
  const { parse } = await import("yaml");
  try {
    const file = parse(text) as { config?: Record<string, unknown> } | null;
    return file?.config ?? {};
  } catch (error) {
    throw new OperationError(`Cannot read the settings in ${path}: ${(error as Error).message.trim()}`, {
      hint: `Correct ${path}.`,
      cause: error,
    });
  }
}

/** Reads a project setting, which is a plain value or an object: `{ type, value, default }`. */
function projectValue(declared: unknown): unknown {
  if (typeof declared !== "object" || declared === null || Array.isArray(declared)) return declared;
  const { value, default: fallback } = declared as { value?: unknown; default?: unknown };
  return value ?? fallback;
}

/** Returns the server kind. The program rejects invalid kinds. */
function kindOf(value: unknown): ServerKind {
  return value === "docker" || value === "external" ? value : "embedded";
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/**
 * Reads the drills of the setting `backups`, an object or its JSON. The program rejects an invalid plan. Until then,
 * its defaults count.
 */
function drillIn(value: unknown): DeclaredSettings["drill"] {
  const backups = typeof value === "string" ? parsedJson(value) : value;
  const drill = isRecord(backups) ? backups.drill : undefined;
  if (drill === undefined || drill === false) return undefined;
  const { schedule, maxAge, required } = isRecord(drill) ? drill : {};
  const isValid = typeof schedule === "string" && scheduleFault(schedule) === undefined;
  const written = typeof maxAge === "string" ? parseDuration(maxAge) : undefined;
  const maxAgeSeconds = written ?? defaultMaxAge(isValid ? schedule : defaultDrillSchedule) ?? 0;
  return { maxAgeSeconds, required: String(required) === "true" };
}

/** Returns true if the setting `backups`, an object or its JSON, has dumps. */
function dumpsIn(value: unknown): boolean {
  const backups = typeof value === "string" ? parsedJson(value) : value;
  return isRecord(backups) && backups.dumps !== undefined && backups.dumps !== false;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads a list, or the JSON of one. */
function names(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  if (typeof value !== "string") return [];
  // The program rejects an invalid list. Its content does not count as declared.
  const list = parsedJson(value);
  return Array.isArray(list) ? list.map(String) : [];
}
