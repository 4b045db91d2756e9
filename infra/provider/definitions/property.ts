import type { PluginFunction } from "../../provider-protocol/function-type.ts";
import type { ResourceType } from "../../provider-protocol/resource-type.ts";

/** A property in Pulumi's package schema (https://www.pulumi.com/docs/iac/using-pulumi/pulumi-packages/schema/). */
export interface PropertySpec {
  type: "string" | "integer" | "boolean" | "array" | "object";
  description: string;
  secret?: boolean;
  items?: { type: "string" };
  additionalProperties?: { type: "string" };
}

export type PropertySpecs = Record<string, PropertySpec>;

/** A resource type of the kit's plugin: the source of its token, schema, registration and secret outputs. */
export interface ResourceDefinition {
  /** Loads the implementation on first use. */
  load(): Promise<ResourceType>;
  description: string;
  /** Names in the states of earlier versions. A resource with one of them gets the present name at the next `up`. */
  formerNames?: string[];
  inputs: PropertySpecs;
  required: string[];
  outputs: PropertySpecs;
}

/** A function of the kit's plugin, which changes nothing. */
export interface FunctionDefinition {
  /** Loads the implementation on first use. */
  load(): Promise<PluginFunction>;
  description: string;
  inputs: PropertySpecs;
  required: string[];
  outputs: PropertySpecs;
  /** Outputs that are always present. */
  answered: string[];
}

export const text = (description: string): PropertySpec => ({ type: "string", description });
export const secret = (description: string): PropertySpec => ({ type: "string", description, secret: true });
export const whole = (description: string): PropertySpec => ({ type: "integer", description });
export const flag = (description: string): PropertySpec => ({ type: "boolean", description });
/** Specifies a list of texts. */
export const texts = (description: string): PropertySpec => ({ type: "array", items: { type: "string" }, description });
/** Specifies texts by name. */
export const textByName = (description: string): PropertySpec => ({
  type: "object",
  additionalProperties: { type: "string" },
  description,
});

/** Properties of the connection to one database. */
export const connection: PropertySpecs = {
  host: text("Host name or address."),
  port: whole("TCP port, 1 to 65535."),
  database: text("Name of the database."),
  user: text("Role to log in as."),
  password: secret("Password of the role."),
  sslmode: text("disable, require, verify-ca or verify-full. Default: disable."),
  caCertificate: text("CA certificates to trust, PEM. Default: the list of Node.js."),
};
export const connectionRequired = ["host", "port", "database", "user", "password"];

export const dockerHost = text("The Docker engine: unix://, tcp:// or ssh://. Default: this machine's own.");
