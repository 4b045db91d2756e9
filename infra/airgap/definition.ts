import { OperationError } from "../../scripts/errors/operation-error.ts";
import type { CallContext, CheckFailure, ResourceType } from "../plugin/resource-type.ts";
import { isUnknown, type Properties, unknownValue } from "../plugin/values.ts";
import { diffProperties } from "./diff.ts";
import { checkInputs, declared, refreshedInputs } from "./inputs.ts";
import { effective, isChanged, isEmpty, type Property, type PropertyTable } from "./property.ts";

/** What tells one resource type of a stand-in from another; {@link resourceType} adds what they share. */
export interface Definition<Server> {
  /** As a program writes it, for messages. */
  typeName: string;
  properties: PropertyTable;
  secretOutputs?: readonly string[];
  /** Faults of inputs taken together. Pure; any value may be unknown yet. */
  validate?(inputs: Properties): CheckFailure[];
  /** The id, from the outputs; of a resource that is not made yet, the best that its inputs tell. */
  id(values: Properties): string;
  /** What an id tells by itself, for imports; absent where the official plugin cannot import either. */
  fromId?(id: string, server: Server): Properties;
  /**
   * Makes the server agree with `wanted`. What the official plugin makes with IF NOT EXISTS may be there already; anything else may not, unless an
   * interrupted run of this stack left it.
   *
   * @param before outputs of the last run, or of the import; undefined on create
   */
  ensure(server: Server, wanted: Properties, before: Properties | undefined): Promise<void>;
  /**
   * What the server has; undefined: nothing there.
   *
   * @param expected settings that the server does not keep, and spellings to prefer where two mean the same
   */
  find(server: Server, expected: Properties): Promise<Properties | undefined>;
  remove(server: Server, outputs: Properties): Promise<void>;
  /** For what may be there before it is made: how it is found, in words; undefined: it is not there. */
  describeExisting?(server: Server, wanted: Properties): Promise<string | undefined>;
  /** Fills in what is left out and the provider's configuration tells. */
  scoped?(server: Server, values: Properties): Properties;
  /** Outputs that are no inputs; `find` tells them. */
  outputsOnly?: readonly string[];
  /** Outputs that official states have and that are always the same. */
  constantOutputs?: Properties;
}

/** How a plugin reaches what its resources lie on. */
export interface Access<Server> {
  /** Connects, or answers the connection that there is. */
  server(context: CallContext): Promise<Server>;
  /** Before inputs are checked, in previews too: throws where the official plugin would without its server. */
  beforeCheck?(context: CallContext): Promise<void>;
}

/** A resource type of the protocol from its definition. */
export function resourceType<Server>(access: Access<Server>, definition: Definition<Server>): ResourceType {
  const { typeName, properties } = definition;
  const scoped = (server: Server, values: Properties) => definition.scoped?.(server, values) ?? values;

  const found = async (context: CallContext, expected: Properties, carried: Properties) => {
    const server = await access.server(context);
    const reality = await definition.find(server, expected);
    if (reality === undefined) return undefined;
    const outputs = { ...definition.constantOutputs, ...carried, ...complete(definition, expected, reality) };
    return { ...outputs, id: definition.id(outputs) };
  };

  const made = async (context: CallContext, wanted: Properties, before: Properties | undefined) => {
    const server = await access.server(context);
    const inputs = scoped(server, declared(wanted));
    const existing = before === undefined ? await definition.describeExisting?.(server, inputs) : undefined;
    if (existing !== undefined) await context.log("info", `adopted: ${existing}`);
    await definition.ensure(server, inputs, before);
    const outputs = await found(context, inputs, before ?? {});
    if (outputs === undefined) {
      throw new Error(`${typeName} ${definition.id(inputs)} was made and is not there`);
    }
    return outputs;
  };

  return {
    ...(definition.secretOutputs ? { secretOutputs: definition.secretOutputs } : {}),

    async check(context, news, oldInputs) {
      await access.beforeCheck?.(context);
      const result = checkInputs(typeName, properties, logicalName(context.urn), news, oldInputs);
      const failures = result.failures ?? [];
      // Faults of single inputs first: the others would only repeat them.
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

/** The official plugin lists a grant's objects in an order of its own: its id is as good as ours. */
function isReordered(before: string, now: string): boolean {
  const parts = (id: string) => id.split("_").sort().join("_");
  return parts(before) === parts(now);
}

/** What was declared of properties whose inputs outlive a drift. */
function kept(table: PropertyTable, inputs: Properties): Properties {
  return Object.fromEntries(
    Object.entries(table)
      .filter(([key, property]) => property.keepsInput && inputs[key] !== undefined)
      .map(([key]) => [key, inputs[key]]),
  );
}

function imported<Server>(definition: Definition<Server>, id: string, server: Server): Properties {
  if (definition.fromId !== undefined) return definition.fromId(id, server);
  throw new OperationError(`A ${definition.typeName} cannot be imported: its id "${id}" does not tell its parts.`, {
    remedy: "Declare it without importing: what is there already is taken over.",
  });
}

/** Outputs that a preview knows: the inputs, and of the rest what the last run saw. */
function foreseen<Server>(definition: Definition<Server>, news: Properties, before: Properties): Properties {
  const outputs: Properties = { ...definition.constantOutputs, ...before };
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

/** Every output key, as official states have them: from the server, else as declared, else the type's own "nothing". */
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

/** Objects within inputs carry a `__defaults` of their own; outputs do not. */
function withoutProtocolKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutProtocolKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(declared(value as Properties)).map(([key, item]) => [key, withoutProtocolKeys(item)]),
  );
}

/** `urn:pulumi:STACK::PROJECT::TYPE::NAME` -> `NAME`, which may hold `::` itself. */
function logicalName(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
