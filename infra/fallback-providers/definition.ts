import { OperationError } from "../../scripts/core/operation-error.ts";
import type { CallContext, CheckFailure, ResourceType } from "../provider-protocol/resource-type.ts";
import { isUnknown, type Properties, unknownValue } from "../provider-protocol/values.ts";
import { diffProperties } from "./diff.ts";
import { checkInputs, declared, refreshedInputs } from "./inputs.ts";
import { effective, isChanged, isEmpty, type Property, type PropertyTable } from "./property.ts";

/** Definition of one resource type of a fallback provider. {@link resourceType} adds the common behaviour. */
export interface Definition<Server> {
  /** Type name in programs, for messages. */
  typeName: string;
  properties: PropertyTable;
  secretOutputs?: readonly string[];
  /** Finds faults in combinations of inputs. It has no side effects, and any value may still be unknown. */
  validate?(inputs: Properties): CheckFailure[];
  /**
   * Returns the id from the outputs. For a resource that does not exist yet, returns the best guess from its inputs.
   */
  id(values: Properties): string;
  /** Returns the properties in an id, for imports. Absent if the official plugin cannot import the type either. */
  fromId?(id: string, server: Server): Properties;
  /**
   * Makes the server match `wanted`. Objects that the official plugin creates with IF NOT EXISTS may exist already.
   * Others may exist only if an interrupted run of this stack left them.
   *
   * @param before outputs of the last run or of the import; undefined on create
   */
  ensure(server: Server, wanted: Properties, before: Properties | undefined): Promise<void>;
  /**
   * Reads the resource from the server. Returns undefined if it does not exist.
   *
   * @param expected settings that the server does not keep, and preferred spellings if two mean the same
   */
  find(server: Server, expected: Properties): Promise<Properties | undefined>;
  remove(server: Server, outputs: Properties): Promise<void>;
  /**
   * Describes an existing object that will be adopted, or returns undefined if there is none. For objects that may
   * exist before they are created.
   */
  describeExisting?(server: Server, wanted: Properties): Promise<string | undefined>;
  /** Fills in omitted values that the provider's configuration defines. */
  scoped?(server: Server, values: Properties): Properties;
  /** Outputs that are not inputs. `find` returns them. */
  outputsOnly?: readonly string[];
  /** Constant outputs of official states. */
  constantOutputs?: Properties;
}

/** A plugin's access to the server of its resources. */
export interface Access<Server> {
  /** Connects, or returns the existing connection. */
  server(context: CallContext): Promise<Server>;
  /** Runs before inputs are checked, in previews too. Throws if the official plugin would fail without its server. */
  beforeCheck?(context: CallContext): Promise<void>;
}

/** Builds a resource type of the protocol from its definition. */
export function resourceType<Server>(access: Access<Server>, definition: Definition<Server>): ResourceType {
  const { typeName, properties } = definition;
  const scoped = (server: Server, values: Properties) => definition.scoped?.(server, values) ?? values;

  const found = async (context: CallContext, expected: Properties, carried: Properties) => {
    const server = await access.server(context);
    const reality = await definition.find(server, expected);
    if (reality === undefined) return undefined;
    const outputs = {
      ...definition.constantOutputs,
      ...withoutDelta(carried),
      ...complete(definition, expected, reality),
    };
    return { ...outputs, id: definition.id(outputs) };
  };

  const made = async (context: CallContext, wanted: Properties, before: Properties | undefined) => {
    const server = await access.server(context);
    const inputs = scoped(server, declared(wanted));
    const existing = before === undefined ? await definition.describeExisting?.(server, inputs) : undefined;
    if (existing !== undefined) await context.log("info", `adopted existing ${existing}`);
    await definition.ensure(server, inputs, before);
    const outputs = await found(context, inputs, before ?? {});
    if (outputs === undefined) {
      throw new Error(`${typeName} ${definition.id(inputs)} was created, but does not exist`);
    }
    return outputs;
  };

  return {
    ...(definition.secretOutputs ? { secretOutputs: definition.secretOutputs } : {}),

    async check(context, news, oldInputs) {
      await access.beforeCheck?.(context);
      const result = checkInputs(typeName, properties, logicalName(context.urn), news, oldInputs);
      const failures = result.failures ?? [];
      // Faults of single inputs come first: the others would only repeat them.
      return failures.length > 0 ? result : { ...result, failures: definition.validate?.(result.inputs) ?? [] };
    },

    diff: (_context, old, news) => diffProperties(properties, old, news),

    async create(context, inputs, preview) {
      if (preview) return { id: "", outputs: foreseen(definition, inputs, {}) };
      const outputs = await made(context, inputs, undefined);
      return { id: String(outputs.id), outputs };
    },

    async read(context, current) {
      const server = await access.server(context);
      const expected =
        Object.keys(current.outputs).length === 0
          ? imported(definition, current.id, server)
          : { ...current.outputs, ...kept(properties, current.inputs) };
      const outputs = await found(context, scoped(server, expected), current.outputs);
      if (outputs === undefined) return undefined;
      const keepsId = definition.fromId === undefined && isReordered(current.id, String(outputs.id));
      const id = keepsId ? current.id : String(outputs.id);
      return { id, outputs: { ...outputs, id }, inputs: refreshedInputs(properties, current.inputs, outputs) };
    },

    async update(context, old, news, preview) {
      if (preview) return foreseen(definition, news, old.outputs);
      return made(context, news, old.outputs);
    },

    async delete(context, old) {
      const server = await access.server(context);
      await definition.remove(server, scoped(server, old.outputs));
    },
  };
}

/**
 * Returns true if two ids differ only in order. The official plugin lists a grant's objects in an order of its own, and
 * its id is equally valid.
 */
function isReordered(before: string, now: string): boolean {
  const parts = (id: string) => id.split("_").sort().join("_");
  return parts(before) === parts(now);
}

/** Returns the declared values of properties whose inputs stay unchanged after drift. */
function kept(table: PropertyTable, inputs: Properties): Properties {
  return Object.fromEntries(
    Object.entries(table)
      .filter(([key, property]) => property.keepsInput && inputs[key] !== undefined)
      .map(([key]) => [key, inputs[key]]),
  );
}

function imported<Server>(definition: Definition<Server>, id: string, server: Server): Properties {
  if (definition.fromId !== undefined) return definition.fromId(id, server);
  throw new OperationError(
    `A ${definition.typeName} cannot be imported: its id "${id}" does not contain all its properties.`,
    {
      hint: "Declare it without importing it: what already exists is adopted.",
    },
  );
}

/** Returns the outputs that a preview knows: the inputs, and the last run's values for the others. */
function foreseen<Server>(definition: Definition<Server>, news: Properties, before: Properties): Properties {
  const outputs: Properties = { ...definition.constantOutputs, ...withoutDelta(before) };
  for (const [key, property] of Object.entries(definition.properties)) {
    const isKept = before[key] !== undefined && !isUnknown(news[key]) && !isChanged(property, before[key], news[key]);
    if (!isKept) outputs[key] = foreseenValue(property, news[key], before[key]);
  }
  for (const key of definition.outputsOnly ?? []) outputs[key] = key in before ? before[key] : unknownValue;
  if (outputs.name !== before.name) delete outputs.id;
  return outputs;
}

function foreseenValue(property: Property, given: unknown, before: unknown): unknown {
  const value = effective(property, given);
  if (value === null) return property.computed ? (before ?? unknownValue) : (property.absent ?? null);
  const { fields } = property;
  if (fields === undefined || (isUnknown(value) && typeof value === "string")) return value;
  const within = (item: unknown) =>
    typeof item !== "object" || item === null
      ? item
      : Object.fromEntries(
          Object.entries(fields).map(([key, field]) => [
            key,
            foreseenValue(field, (item as Properties)[key], undefined),
          ]),
        );
  return Array.isArray(value) ? value.map(within) : within(value);
}

/**
 * Removes the note that the official plugin adds to outputs. The plugin panics if its note does not match the values,
 * but accepts a state without one.
 */
function withoutDelta({ __pulumi_raw_state_delta: _, ...outputs }: Properties): Properties {
  return outputs;
}

/**
 * Returns all output keys of official states, with values from the server, the declaration, or the type's own empty
 * value.
 */
function complete<Server>(definition: Definition<Server>, expected: Properties, reality: Properties): Properties {
  const { properties, outputsOnly = [] } = definition;
  const outputs: Properties = Object.fromEntries(outputsOnly.map((key) => [key, reality[key] ?? null]));
  for (const [key, property] of Object.entries(properties)) {
    const value =
      key in reality
        ? reality[key]
        : (effective(property, withoutProtocolKeys(expected[key])) ?? property.absent ?? null);
    if (!(property.omitted && isEmpty(value))) outputs[key] = value;
  }
  return outputs;
}

/** Removes protocol keys: objects in inputs have their own `__defaults`, and outputs do not. */
function withoutProtocolKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutProtocolKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(declared(value as Properties)).map(([key, item]) => [key, withoutProtocolKeys(item)]),
  );
}

/** Returns the name in a URN. `urn:pulumi:STACK::PROJECT::TYPE::NAME` -> `NAME`, which may contain `::` itself. */
function logicalName(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
