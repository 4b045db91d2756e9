import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isRealStack } from "../../infra/plan/real-data.ts";
import { OperationError } from "../errors/operation-error.ts";
import { isAbsent } from "../files/absent.ts";

/** What runs a stack's server. */
export type ServerKind = "embedded" | "docker" | "external";

/** What a stack's settings say of it, brought up or not. */
export interface DeclaredSettings {
  /** Whether it holds real data. */
  protected: boolean;
  /** Where its server's data is to be; undefined: in the server's own folder. */
  dataDirectory: string | undefined;
  databases: string[];
  kind: ServerKind;
  /** Whether its server is a container, and in which Docker engine; undefined: this machine's own. */
  docker: { host: string | undefined } | undefined;
}

/**
 * Reads from the settings files what erasing has to know. The engine answers this only for a stack that has a state, and the program checks it only when it
 * runs: here a value that is wrong is taken at its most careful.
 *
 * @param root the clone
 * @throws OperationError where a file is no YAML
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
    docker: setting("server") === "docker" ? { host: text(setting("dockerHost")) } : undefined,
  };
}

async function configOf(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (isAbsent(error)) return {};
    throw new OperationError(`Could not tell the settings in ${path}: ${(error as Error).message}`, { cause: error });
  }
  const { parse } = await import("yaml");
  try {
    const file = parse(text) as { config?: Record<string, unknown> } | null;
    return file?.config ?? {};
  } catch (error) {
    throw new OperationError(`Could not tell the settings in ${path}: ${(error as Error).message.trim()}`, {
      remedy: `Correct ${path}.`,
      cause: error,
    });
  }
}

/** A project's setting is a plain value, or one with its type: `{ type, value, default }`. */
function projectValue(declared: unknown): unknown {
  if (typeof declared !== "object" || declared === null || Array.isArray(declared)) return declared;
  const { value, default: fallback } = declared as { value?: unknown; default?: unknown };
  return value ?? fallback;
}

/** What is no kind is the program's to refuse. */
function kindOf(value: unknown): ServerKind {
  return value === "docker" || value === "external" ? value : "embedded";
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A list, or the JSON of one. */
function names(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  if (typeof value !== "string") return [];
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) ? list.map(String) : [];
  } catch {
    // A wrong list is the program's to refuse; what is in it is not known to be declared.
    return [];
  }
}
