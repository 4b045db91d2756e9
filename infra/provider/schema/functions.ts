import type { FunctionName } from "../token.ts";
import { connection, connectionRequired, type FunctionSpec, flag, text, texts } from "./property.ts";

/** What the plugin answers without making anything. */
export const functions: Record<FunctionName, FunctionSpec> = {
  availableExtensions: {
    description: "Which extensions a server could make.",
    inputs: connection,
    required: connectionRequired,
    outputs: {
      known: flag("False: the server gave no connection."),
      reason: text("Why not."),
      extensions: texts("Their names."),
    },
    answered: ["known"],
  },
  existingObjects: {
    description: "Which of the asked roles and databases a server has.",
    inputs: { ...connection, roles: texts("Roles to look for."), databases: texts("Databases to look for.") },
    required: [...connectionRequired, "roles", "databases"],
    outputs: {
      known: flag("False: the server gave no connection."),
      isDown: flag("That is because nothing answers."),
      reason: text("Why not."),
      roles: texts("Those roles that are there."),
      databases: texts("Those databases that are there."),
    },
    answered: ["known"],
  },
};
