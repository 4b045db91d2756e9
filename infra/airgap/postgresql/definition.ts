import { OperationError } from "../../../scripts/errors/operation-error.ts";
import type { CallContext, CheckFailure, ResourceType } from "../../plugin/resource-type.ts";
import { type Properties, unknownValue } from "../../plugin/values.ts";
import { diffProperties } from "./diff.ts";
import { checkInputs, declared, refreshedInputs } from "./inputs.ts";
import { effective, type PropertyTable } from "./property.ts";
import { type Sessions, sessionsFor } from "./session.ts";

/** What tells one resource type of the plugin from another; {@link resourceType} adds what they share. */
export interface Definition {
  /** As a program writes it, for messages. */
  typeName: string;
  properties: PropertyTable;
  secretOutputs?: readonly string[];
  /** Faults of inputs taken together. Pure; any value may be unknown yet. */
  validate?(inputs: Properties): CheckFailure[];
  id(values: Properties): string;
  /** What an id tells by itself, for imports; absent where the official plugin cannot import either. */
  fromId?(id: string, sessions: Sessions): Properties;
  /**
   * Makes the server agree with `wanted`. What the official plugin makes with IF NOT EXISTS may be there already; a role or a database may not.
   *
   * @param before outputs of the last run, or of the import; undefined on create
   */
  ensure(sessions: Sessions, wanted: Properties, before: Properties | undefined): Promise<void>;
  /**
   * What the server has; undefined: nothing there.
   *
   * @param expected settings that the server does not keep, and spellings to prefer where two mean the same
   */
  find(sessions: Sessions, expected: Properties): Promise<Properties | undefined>;
  remove(sessions: Sessions, outputs: Properties): Promise<void>;
  /** For what may be there before it is made: how it is found, in words; undefined: it is not there. */
  describeExisting?(sessions: Sessions, wanted: Properties): Promise<string | undefined>;
}

/** A resource type of the protocol from its definition. */
export function resourceType(definition: Definition): ResourceType {
  const { typeName, properties } = definition;

  const found = async (context: CallContext, expected: Properties, carried: Properties) => {
    const sessions = await sessionsFor(context);
    const reality = await definition.find(sessions, expected);
    if (reality === undefined) return undefined;
    const outputs = { ...carried, ...complete(properties, expected, reality) };
    return { ...outputs, id: definition.id(outputs) };
  };

  const made = async (context: CallContext, wanted: Properties, before: Properties | undefined) => {
    const sessions = await sessionsFor(context);
    const inputs = withScope(definition, sessions, declared(wanted));
    const existing = before === undefined ? await definition.describeExisting?.(sessions, inputs) : undefined;
    if (existing !== undefined) await context.log("info", `adopted: ${existing}`);
    await definition.ensure(sessions, inputs, before);
    const outputs = await found(context, inputs, before ?? {});
    if (outputs === undefined) {
      throw new Error(`${typeName} ${definition.id(inputs)} was made and is not there`);
    }
    return outputs;
  };

  return {
    ...(definition.secretOutputs ? { secretOutputs: definition.secretOutputs } : {}),

    async check(context, news, oldInputs) {
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
      const sessions = await sessionsFor(context);
      const expected =
        Object.keys(current.outputs).length === 0 ? imported(definition, current.id, sessions) : current.outputs;
      const outputs = await found(context, withScope(definition, sessions, expected), current.outputs);
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
      const sessions = await sessionsFor(context);
      await definition.remove(sessions, withScope(definition, sessions, old.outputs));
    },
  };
}

/** The official plugin lists a grant's objects in an order of its own: its id is as good as ours. */
function isReordered(before: string, now: string): boolean {
  const parts = (id: string) => id.split("_").sort().join("_");
  return parts(before) === parts(now);
}

function imported(definition: Definition, id: string, sessions: Sessions): Properties {
  if (definition.fromId !== undefined) return definition.fromId(id, sessions);
  throw new OperationError(`A ${definition.typeName} cannot be imported: its id "${id}" does not tell its parts.`, {
    remedy: "Declare it without importing: what is there already is taken over.",
  });
}

/** Outputs that a preview knows: the inputs, and of the rest what the last run saw. */
function foreseen(definition: Definition, news: Properties, before: Properties): Properties {
  const outputs: Properties = { ...before };
  for (const [key, property] of Object.entries(definition.properties)) {
    const value = effective(property, news[key]);
    if (value !== null) outputs[key] = value;
    else if (property.computed) outputs[key] = before[key] ?? unknownValue;
    else outputs[key] = property.absent ?? null;
  }
  if (outputs.name !== before.name) delete outputs.id;
  return outputs;
}

/** Every output key, as official states have them: from the server, else as declared, else the type's own "nothing". */
function complete(table: PropertyTable, expected: Properties, reality: Properties): Properties {
  return Object.fromEntries(
    Object.entries(table).map(([key, property]) => [
      key,
      key in reality ? reality[key] : (effective(property, expected[key]) ?? property.absent ?? null),
    ]),
  );
}

/** `database` left out means the one that the provider is configured with. */
function withScope(definition: Definition, sessions: Sessions, values: Properties): Properties {
  if (!("database" in definition.properties) || typeof values.database === "string") return values;
  return { ...values, database: sessions.database };
}

/** `urn:pulumi:STACK::PROJECT::TYPE::NAME` -> `NAME`, which may hold `::` itself. */
function logicalName(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
