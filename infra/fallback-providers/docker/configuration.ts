import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { OperationError } from "../../../scripts/core/operation-error.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { isEmpty } from "../property.ts";

/** Keys of the official provider's configuration. Those in {@link refusals} are accepted only if empty. */
export const configurationKeys = [
  "host",
  "certPath",
  "caMaterial",
  "certMaterial",
  "keyMaterial",
  "disableDockerDaemonCheck",
  "context",
  "registryAuth",
  "sshOpts",
] as const;

const refusals: Readonly<Record<string, string>> = {
  context: "Set host (or DOCKER_HOST): Docker's contexts are not read.",
  registryAuth: "Remove it: the fallback provider neither pulls nor pushes images.",
  sshOpts: "Put the options into ~/.ssh/config: the machine's own ssh reads it.",
};

/** A provider's configuration, parsed. */
export interface EngineAccess {
  /** Docker host, in the notation of Docker's own tools. If undefined, `DOCKER_HOST`, or this machine's own engine. */
  host: string | undefined;
  /** True if a check of inputs first checks that the engine answers. */
  checksEngine: boolean;
  /** Returns the client certificate. If undefined, the machine's own Docker tools determine it. */
  certificate(): Promise<ClientCertificate | undefined>;
}

export interface ClientCertificate {
  ca: string;
  cert: string;
  key: string;
}

/** Parses a provider's configuration. All values arrive as strings, and lists as JSON. */
export function engineAccess(config: Properties): EngineAccess {
  const given = (key: string): string | undefined => {
    const value = config[key];
    return isEmpty(value) || value === "[]" || value === "{}" || value === "null" ? undefined : String(value);
  };
  for (const [key, hint] of Object.entries(refusals)) {
    if (given(key) === undefined) continue;
    throw new OperationError(`The docker fallback provider does not support the configuration "${key}".`, {
      hint,
    });
  }
  const material = { ca: given("caMaterial"), cert: given("certMaterial"), key: given("keyMaterial") };
  const certPath = given("certPath");
  return {
    host: given("host"),
    checksEngine: given("disableDockerDaemonCheck") !== "true",
    certificate: async () => {
      if (Object.values(material).some((part) => part !== undefined)) return wholeMaterial(material);
      return certPath === undefined ? undefined : readCertificate(certPath);
    },
  };
}

function wholeMaterial({ ca, cert, key }: { [Part in keyof ClientCertificate]: string | undefined }) {
  if (ca !== undefined && cert !== undefined && key !== undefined) return { ca, cert, key };
  throw new OperationError(
    "The docker provider needs caMaterial, certMaterial and keyMaterial together, but not all of them are set.",
  );
}

async function readCertificate(folder: string): Promise<ClientCertificate> {
  const read = async (name: string) => {
    const path = join(folder, name);
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      throw new OperationError(`The docker provider's certificate file ${path} cannot be read.`, {
        hint: "Put ca.pem, cert.pem and key.pem into the folder that certPath names.",
        cause: error,
      });
    }
  };
  const [ca, cert, key] = await Promise.all([read("ca.pem"), read("cert.pem"), read("key.pem")]);
  return { ca, cert, key };
}
