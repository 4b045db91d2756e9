import { connection, connectionRequired, type FunctionDefinition, flag, text, texts } from "./property.ts";

/** Functions of the plugin, which change nothing. */
export const functions = {
  availableExtensions: {
    load: async () => (await import("../functions/available-extensions.ts")).availableExtensions,
    description: "Lists the extensions that a server can create.",
    inputs: connection,
    required: connectionRequired,
    outputs: {
      known: flag("False if the server accepted no connection."),
      isDown: flag("True if known is false because the server does not answer."),
      reason: text("Reason if known is false."),
      extensions: texts("Names of the extensions."),
    },
    answered: ["known"],
  },
  dockerState: {
    load: async () => (await import("../functions/docker-state.ts")).dockerState,
    description: "Compares a stack's state with its Docker engine, and removes what a killed run left there.",
    inputs: {
      dockerHost: text("The Docker engine. Default: this machine's own."),
      project: text("Name of the project."),
      stack: text("Name of the stack."),
      server: text("Name of the server whose objects are compared. Default: all of the stack."),
      remove: flag(
        "If true, removes the stack's containers and networks that are not in the state. False in a preview.",
      ),
    },
    required: ["project", "stack", "remove"],
    outputs: {
      known: flag("False if the state or the engine could not be read."),
      reason: text("Reason if known is false."),
      removed: texts("Removed objects."),
      fault: text("Reason why `up` must stop: an object could not be removed, or the project directory is a copy."),
      imageTriggers: texts("For each image of the state, its resource's name, a space, and its replacement trigger."),
    },
    answered: ["known"],
  },
  existingObjects: {
    load: async () => (await import("../functions/existing-objects.ts")).existingObjects,
    description: "Lists which of the given roles and databases a server has.",
    inputs: { ...connection, roles: texts("Roles to look for."), databases: texts("Databases to look for.") },
    required: [...connectionRequired, "roles", "databases"],
    outputs: {
      known: flag("False if the server accepted no connection."),
      isDown: flag("True if known is false because the server does not answer."),
      reason: text("Reason if known is false."),
      roles: texts("Roles that exist."),
      databases: texts("Databases that exist."),
      extensions: texts("Extensions of these databases: database, name and schema of each, as a JSON list."),
      undeclared: texts("Other databases with an owner named by the kit's convention."),
      ownsPostgres: flag("True if the login may change the privileges on the database postgres."),
      publicConnects: flag("True if PUBLIC can connect to the database postgres."),
      connectingByPublic: texts("Other roles that can connect to it only because PUBLIC can."),
      endlessCommits: text("Message about a missing synchronous standby. Absent if commits do not wait for one."),
      warnings: texts("Faults of the server that `up` does not repair, each with what to do."),
    },
    answered: ["known"],
  },
  missingRights: {
    load: async () => (await import("../functions/missing-rights.ts")).missingRights,
    description: "Compares the rights of a server's admin with those that a stack needs.",
    inputs: { ...connection, declared: text("Roles and databases of the stack, as JSON.") },
    required: [...connectionRequired, "declared"],
    outputs: {
      known: flag("False if the server accepted no connection."),
      isDown: flag("True if known is false because the server does not answer."),
      reason: text("Reason if known is false."),
      isSuperuser: flag("True if the admin is a superuser, which lacks no right."),
      message: text("Missing rights with the statements that grant them. Absent if no right is missing."),
      leftOut: texts("Optional extensions that the admin cannot create: database, a space, and the extension."),
    },
    answered: ["known"],
  },
} satisfies Record<string, FunctionDefinition>;
