import * as pulumi from "@pulumi/pulumi";
import { type FunctionName, tokenOf } from "../definitions/definitions.ts";
import { withPlugin } from "./plugin-resource.ts";
import type { ConnectionArgs } from "./servers.ts";

/* Functions of the plugin. They are plain calls and do not return outputs. */

const addressUnknown = { known: false, isDown: true, reason: "its address is not known yet" } as const;

/**
 * Calls a function of the plugin that queries a server. Returns undefined if a preview does not know an argument yet,
 * because Pulumi then returns nothing.
 */
async function askPlugin<Answer extends { known: boolean }>(
  name: FunctionName,
  args: pulumi.Inputs,
  options: pulumi.InvokeOptions | undefined,
): Promise<Answer | undefined> {
  const answer: Partial<Answer> = await pulumi.runtime.invoke(tokenOf(name), args, withPlugin(options));
  return answer.known === undefined ? undefined : (answer as Answer);
}

/** Reason why a server could not be queried. `isDown`: it does not answer or does not exist yet, else it refuses. */
export interface NotQueried {
  known: false;
  isDown: boolean;
  reason: string;
}

/** The extensions that a server can create. `known: false` means that it could not be queried. */
export type AvailableExtensions = { known: true; extensions: string[] } | NotQueried;

/** Queries a server for the extensions that it can create. It is a plain call, as {@link existingObjects} is. */
export async function availableExtensions(
  args: ConnectionArgs,
  options?: pulumi.InvokeOptions,
): Promise<AvailableExtensions> {
  return (await askPlugin<AvailableExtensions>("availableExtensions", { ...args }, options)) ?? addressUnknown;
}

export interface MissingRightsArgs extends ConnectionArgs {
  /** Roles and databases of the stack, as JSON. */
  declared: string;
}

/** Rights that a server's admin lacks. `known: false` means that the server could not be queried. */
export type MissingRights = { known: true; isSuperuser: boolean; message?: string; leftOut: string[] } | NotQueried;

/** Compares the rights of a server's admin with those that a stack needs. A plain call like {@link existingObjects}. */
export async function missingRights(args: MissingRightsArgs, options?: pulumi.InvokeOptions): Promise<MissingRights> {
  return (await askPlugin<MissingRights>("missingRights", { ...args }, options)) ?? addressUnknown;
}

export interface ExistingObjectsArgs extends ConnectionArgs {
  roles: readonly string[];
  databases: readonly string[];
}

/** Those of the given roles and databases that a server has. `known: false` means that it could not be queried. */
export type ExistingObjects =
  | {
      known: true;
      roles: string[];
      databases: string[];
      undeclared: string[];
      extensions?: string[];
      /** Faults of the server that `up` does not repair, each with what to do. */
      warnings?: string[];
      /** Message about a missing synchronous standby that every commit would wait for. */
      endlessCommits?: string;
      /** True if the login may change the privileges on the database `postgres`. */
      ownsPostgres: boolean;
      /** True if PUBLIC can connect to it. */
      publicConnects: boolean;
      /** Other roles that can connect to it only because PUBLIC can. */
      connectingByPublic?: string[];
    }
  | { known: false; isDown: boolean; reason: string | undefined };

/**
 * Queries a server for the roles and databases that it has.
 *
 * It is a plain call and does not return an output, since the answer decides resource options, which cannot be outputs.
 * If a preview does not know an argument yet, Pulumi returns nothing for such a call.
 */
export async function existingObjects(
  args: ExistingObjectsArgs,
  options?: pulumi.InvokeOptions,
): Promise<ExistingObjects> {
  const inputs = { ...args, roles: [...args.roles], databases: [...args.databases] };
  const answer = await askPlugin<ExistingObjects>("existingObjects", inputs, options);
  return answer ?? { known: false, isDown: false, reason: undefined };
}

export interface DockerStateArgs {
  dockerHost: string | undefined;
  project: string;
  stack: string;
  /** Name of the server whose objects are compared. Omit for all of the stack. */
  server?: string | undefined;
}

/** A stack's state compared with its Docker engine. `known: false` means that one of them could not be read. */
export type DockerState =
  | { known: true; imageTriggers: string[]; removed?: string[]; fault?: string }
  /** Without a reason, the engine is unreachable. */
  | { known: false; reason?: string };

/**
 * Compares a stack's state with its Docker engine. An `up` removes the stack's containers and networks that the state
 * does not contain. So call it before any of them is declared.
 */
export async function dockerState(args: DockerStateArgs): Promise<DockerState> {
  const remove = !pulumi.runtime.isDryRun();
  return pulumi.runtime.invoke(tokenOf("dockerState"), { ...args, remove }, withPlugin(undefined));
}
