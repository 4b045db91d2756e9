import type struct_pb from "google-protobuf/google/protobuf/struct_pb.js";
import { Struct } from "../../scripts/pulumi/shared-packages.ts";

/** Plain JSON values as a resource type gets them: secrets unwrapped, unknowns as {@link unknownValue}. */
export type Properties = Record<string, unknown>;

/** Marks a wrapped value in the wire format. The engine's `sdk/go/common/resource/sig` defines both constants. */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** A value that is unknown until the update. In previews the engine sends it as a string. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/**
 * Unknown values, including those of properties with a type known to the engine
 * (`sdk/go/common/resource/plugin/rpc.go`).
 */
const unknownValues = new Set([
  unknownValue,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** Decoded properties: the plain values, the top-level keys that were secret, and every secret string for redaction. */
export interface Decoded {
  values: Properties;
  secretKeys: Set<string>;
  secrets: string[];
}

/** Returns true if a value, or any part of it, is unknown. */
export function isUnknown(value: unknown): boolean {
  if (typeof value === "string") return unknownValues.has(value);
  if (Array.isArray(value)) return value.some(isUnknown);
  if (typeof value === "object" && value !== null) return Object.values(value).some(isUnknown);
  return false;
}

/** Decodes properties and unwraps secrets. If a provider accepts secrets, nothing else unwraps them. */
export function decode(struct: struct_pb.Struct | undefined): Decoded {
  const secretKeys = new Set<string>();
  const secrets: string[] = [];
  const values: Properties = {};
  for (const [key, wire] of Object.entries(struct?.toJavaScript() ?? {})) {
    const found = secrets.length;
    let sealed = false;
    // A plugin's own properties are secret as a whole. Secrets in them also arrive as secrets in other inputs.
    const isOwn = key.startsWith("__");
    values[key] = unwrap(wire, false, (secret) => {
      sealed = true;
      if (secret !== undefined && !isOwn) secrets.push(secret, ...valueOfVariable(secret));
    });
    if (sealed || secrets.length > found) secretKeys.add(key);
  }
  return { values, secretKeys, secrets };
}

/** Returns the value in `NAME=value`, the form of environment variables: the value alone is just as secret. */
function valueOfVariable(secret: string): string[] {
  const [, value] = /^[A-Za-z_]\w*=(.+)$/s.exec(secret) ?? [];
  return value === undefined ? [] : [value];
}

/**
 * Encodes properties, with the named top-level ones wrapped as secrets. Undefined values are left out, since the wire
 * format has none.
 */
export function encode(values: Properties, secretKeys: Iterable<string> = []): struct_pb.Struct {
  const sealed = new Set(secretKeys);
  const wire: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) continue;
    wire[key] = sealed.has(key) ? { [signatureKey]: secretSignature, value } : value;
  }
  return Struct.fromJavaScript(wire as Parameters<typeof Struct.fromJavaScript>[0]);
}

function unwrap(wire: unknown, inSecret: boolean, onSecret: (secret: string | undefined) => void): unknown {
  if (typeof wire === "string") {
    if (inSecret && wire !== "") onSecret(wire);
    return wire;
  }
  if (Array.isArray(wire)) return wire.map((item) => unwrap(item, inSecret, onSecret));
  if (typeof wire !== "object" || wire === null) return wire;
  const object = wire as Properties;
  if (object[signatureKey] === secretSignature) {
    onSecret(undefined);
    return unwrap(object.value, true, onSecret);
  }
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, unwrap(value, inSecret, onSecret)]));
}
