import { type Connection, type SslMode, sslModes } from "../../../scripts/connection/connection.ts";
import type { CheckFailure } from "../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties } from "../../provider-protocol/values.ts";

/** The inputs by which a resource reaches a database; `password` is a secret. */
export const connectionKeys = ["host", "port", "database", "user", "password", "sslmode", "caCertificate"] as const;

/** Those of them that may be left out. */
export const optionalKeys: readonly string[] = ["sslmode", "caCertificate"];

/** The connection that inputs describe; undefined while any part of it is not known yet. */
export function connectionOf(inputs: Properties): Connection | undefined {
  if (connectionKeys.some((key) => isUnknown(inputs[key]))) return undefined;
  return {
    host: String(inputs.host),
    port: Number(inputs.port),
    database: String(inputs.database),
    user: String(inputs.user),
    password: inputs.password === undefined ? undefined : String(inputs.password),
    sslmode: (inputs.sslmode as SslMode | undefined) ?? "disable",
    ...(inputs.caCertificate === undefined ? {} : { ca: String(inputs.caCertificate) }),
  };
}

/** Faults of those inputs that are known. */
export function checkConnection(inputs: Properties): CheckFailure[] {
  const failures: CheckFailure[] = [];
  for (const key of ["host", "database", "user"] as const) {
    if (!isUnknown(inputs[key]) && (typeof inputs[key] !== "string" || inputs[key] === ""))
      failures.push({ property: key, reason: `${key} must be a non-empty string` });
  }
  const port = inputs.port;
  if (!isUnknown(port) && !(typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65535))
    failures.push({
      property: "port",
      reason: `port must be a whole number from 1 to 65535, but is ${JSON.stringify(port)}`,
    });
  const sslmode = inputs.sslmode;
  if (sslmode !== undefined && !isUnknown(sslmode) && !sslModes.includes(sslmode as SslMode))
    failures.push({
      property: "sslmode",
      reason: `sslmode must be one of ${sslModes.join(", ")}, but is ${JSON.stringify(sslmode)}`,
    });
  const caCertificate = inputs.caCertificate;
  if (caCertificate !== undefined && !isUnknown(caCertificate) && !isPem(caCertificate))
    failures.push({ property: "caCertificate", reason: "caCertificate must contain at least one certificate (PEM)" });
  return failures;
}

function isPem(value: unknown): boolean {
  return typeof value === "string" && value.includes("-----BEGIN CERTIFICATE-----");
}
