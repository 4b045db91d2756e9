import * as postgresql from "@pulumi/postgresql";
import type * as pulumi from "@pulumi/pulumi";
import type { RolePlan } from "../../scripts/model/privileges.ts";
import { Password } from "../provider/sdk/servers.ts";
import type { Existing } from "./checks/existing-objects.ts";
import type { Login } from "./server.ts";

/** A role and its login. */
export interface LoginRole {
  login: Login;
  role: postgresql.Role;
}

/**
 * Declares a role. It is imported if the server already has it. Removing the declaration does not drop it, since its
 * objects remain.
 */
export function declareRole(
  name: string,
  plan: RolePlan,
  existing: Existing,
  options: pulumi.CustomResourceOptions,
  password?: pulumi.Output<string>,
): postgresql.Role {
  const { idleInTransactionSeconds = 0 } = plan;
  return new postgresql.Role(
    name,
    {
      name: plan.name,
      login: plan.login,
      ...(plan.replication ? { replication: true } : {}),
      ...(plan.memberOf.length > 0 ? { roles: plan.memberOf } : {}),
      ...(plan.assumes === undefined ? {} : { assumeRole: plan.assumes }),
      // In ms. If it is absent, the role has the server's own limit, which is none by default.
      ...(idleInTransactionSeconds === 0 ? {} : { idleInTransactionSessionTimeout: idleInTransactionSeconds * 1_000 }),
      ...(password === undefined ? {} : { password }),
    },
    { ...options, retainOnDelete: true, ...(existing.roles.has(plan.name) ? { import: plan.name } : {}) },
  );
}

/** Declares a role that logs in with a generated password. */
export function declareLogin(
  name: string,
  plan: RolePlan,
  existing: Existing,
  passwordVersion: string,
  options: pulumi.CustomResourceOptions & { parent: pulumi.Resource },
): LoginRole {
  // The password is the kit's own resource: it takes the parent, but no option of the postgresql provider.
  const password = new Password(`${name}-password`, { keeper: passwordVersion }, { parent: options.parent });
  return {
    login: { user: plan.name, password: password.result },
    role: declareRole(name, plan, existing, options, password.result),
  };
}
