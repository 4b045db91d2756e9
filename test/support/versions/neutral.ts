import { makeCa, makeServerCertificate } from "../../../scripts/tls/certificates.ts";
import { endOf, fingerprintOf } from "../../../scripts/tls/term.ts";
import { type Deployment, mapStrings, type RecordedProperties, type RecordedState } from "./deployment.ts";

/** Locations on the machine where a stack was recorded. */
export interface RecordedAt {
  projectRoot: string;
  dataHome: string;
  /** For example `linux/amd64`. */
  platform: string;
  /** Docker's data folder on that machine. */
  dockerRoot: string;
}

/** Default data folder of a Docker engine. */
const dockerRoot = "/var/lib/docker";

/** A hundred years, in days: a recorded certificate must not become due for renewal in later previews. */
const certificateDays = 36_500;

/** Keys that differ in every recording and do not describe the resource. */
const dropped = ["created", "modified", "sourcePosition", "stackTrace"];

/**
 * Replaces secrets and values of this machine in a recorded deployment: passwords, keys, certificates, paths, ports and
 * names.
 *
 * @param deployment output of `pulumi stack export --show-secrets`
 * @returns the deployment, and a function that replaces the same values in a text that belongs to it
 */
export async function neutralise(deployment: Deployment, stack: string, at: RecordedAt) {
  const replacements = [
    ...(await certificateReplacements(deployment)),
    ...passwordReplacements(deployment),
    // Only names with a suffix: the stack's own resource has the same name without one.
    ...nameReplacements(deployment, stack).map(([from, to]) => [`${from}-`, `${to}-`] as const),
    [at.projectRoot, "{{projectRoot}}"] as const,
    [at.dataHome, "{{dataHome}}"] as const,
    [at.dockerRoot, dockerRoot] as const,
  ];
  const ports = portsOf(deployment);
  const whole = new Map([[at.platform, "{{platform}}"], ...nameReplacements(deployment, stack)]);
  const inText = (text: string) => {
    let neutral = whole.get(text) ?? text;
    for (const [from, to] of replacements) neutral = neutral.replaceAll(from, to);
    for (const [port, other] of ports)
      neutral = neutral.replaceAll(new RegExp(`(?<![\\w.])${port}(?!\\w)`, "g"), String(other));
    return neutral;
  };
  const inNumber = (value: number) => ports.get(value) ?? value;
  const resources = deployment.resources.map((resource) =>
    withoutIdleDependencies(
      Object.fromEntries(Object.entries(resource).filter(([key]) => !dropped.includes(key))) as RecordedState,
    ),
  );
  const neutral = mapStrings({ ...deployment, resources }, inText, inNumber) as Deployment;
  return { deployment: { ...neutral, manifest: { time: "0001-01-01T00:00:00Z", magic: "", version: "" } }, inText };
}

/** Removes properties without dependencies if the state has other information about the resource's dependencies. */
export function withoutIdleDependencies(resource: RecordedState): RecordedState {
  const { propertyDependencies, ...others } = resource;
  const entries = Object.entries((propertyDependencies ?? {}) as Record<string, string[]>);
  const busy = entries.filter(([, urns]) => urns.length > 0);
  if (busy.length > 0) return { ...others, propertyDependencies: Object.fromEntries(busy) };
  return resource.dependencies === undefined ? others : resource;
}

type Replacement = readonly [from: string, to: string];

function ofType(deployment: Deployment, type: string) {
  return deployment.resources.filter((resource) => resource.type.endsWith(`:${type}`));
}

function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}

function passwordReplacements(deployment: Deployment): Replacement[] {
  return [...ofType(deployment, "Password"), ...ofType(deployment, "BackupPassphrase")].map(({ urn, outputs }) => [
    secretText(outputs, "result"),
    `recorded-${nameOf(urn)}`,
  ]);
}

/** Replaces certificates with new ones of the same code and a long term. The new keys are discarded. */
async function certificateReplacements(deployment: Deployment): Promise<Replacement[]> {
  const replacements: Replacement[] = [];
  for (const { urn, inputs, outputs } of ofType(deployment, "CertificateAuthority")) {
    const made = await makeCa({ commonName: String(inputs.commonName), validityDays: certificateDays });
    replacements.push(...certificateTexts(urn, outputs, made.certificate));
    for (const server of ofType(deployment, "ServerCertificate")) {
      const hosts = server.inputs.hosts as string[];
      const { certificate } = await makeServerCertificate(made, { hosts, validityDays: certificateDays });
      replacements.push(...certificateTexts(server.urn, server.outputs, certificate));
    }
  }
  return replacements;
}

function certificateTexts(urn: string, outputs: RecordedProperties, certificate: string): Replacement[] {
  const before = String(outputs.certificate);
  return [
    [before, certificate],
    [secretText(outputs, "privateKey"), `recorded private key of ${nameOf(urn)}\n`],
    [endOf(before), endOf(certificate)],
    [fingerprintOf(before), fingerprintOf(certificate)],
  ];
}

/**
 * Replaces names in the engine with one that no stack of this machine has: a preview asks the engine whether its
 * containers run.
 */
function nameReplacements(deployment: Deployment, stack: string): Replacement[] {
  return ofType(deployment, "DockerNames").map(({ outputs }) => [
    String(outputs.prefix),
    `pgroundwork-recorded-${stack}`,
  ]);
}

/** Maps the stack's ports to ports that nothing listens on: 1 and up. */
function portsOf(deployment: Deployment): Map<number, number> {
  const given = [
    ...ofType(deployment, "Port"),
    ...ofType(deployment, "EmbeddedServer"),
    ...ofType(deployment, "Ready"),
  ];
  const ports = new Set(given.map(({ outputs }) => Number(outputs.port)));
  return new Map([...ports].map((port, index) => [port, index + 1]));
}

function secretText(outputs: RecordedProperties, key: string): string {
  const { plaintext } = outputs[key] as { plaintext: string };
  return String(JSON.parse(plaintext));
}
