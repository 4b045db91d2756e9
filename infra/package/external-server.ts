import * as pulumi from "@pulumi/pulumi";
import type { SslMode } from "../../scripts/connection/connection.ts";
import {
  type ExternalAccess,
  ExternalServer as ExternalServerComponent,
  extensionsOfServer,
  requireRights,
  type WithExtensions,
} from "../components/external-server.ts";
import { providerCaFile } from "./ca-file.ts";
import { separateProtect } from "./options.ts";
import { parsed, serverArguments } from "./parsed.ts";
import type { ProgramServer } from "./server.ts";

/** Arguments of {@link ExternalServer}. */
export interface ExternalServerArgs {
  /** Host name, for example the endpoint of a managed server that the same program declares. */
  host: pulumi.Input<string>;
  /** Default: 5432. */
  port?: pulumi.Input<number> | undefined;
  /** Database that exists already. Default: `postgres`. */
  database?: string | undefined;
  /** Role that creates roles and databases. */
  user: string;
  /** Its password. It is kept as a secret. */
  password: pulumi.Input<string>;
  /** False if the role is not a superuser, as on a managed server. Default: true. */
  superuser?: boolean | undefined;
  /** Default: `verify-full` with a CA certificate, otherwise `require`. */
  sslmode?: SslMode | undefined;
  /** CA certificates that verify the server's certificate, PEM. Default: those of Node and the postgresql provider. */
  caCertificate?: pulumi.Input<string> | undefined;
  /** A change generates the passwords of all roles again. Default: `1`. */
  passwordVersion?: string | undefined;
  /** Limit for waiting until SQL runs, in seconds. Default: 60. */
  readyTimeout?: number | undefined;
}

/** A server that others run. Databases and roles are created on it, and deleting them here drops nothing. */
export class ExternalServer extends ExternalServerComponent implements ProgramServer {
  readonly resourceName: string;
  readonly passwordVersion: string;
  readonly isProtected: boolean;
  readonly runsJobs = false;
  readonly extensionHint = "Install them on the server's machine.";
  readonly #access: ExternalAccess;

  constructor(name: string, args: ExternalServerArgs, options?: pulumi.ComponentResourceOptions) {
    const { host, port = 5432, database = "postgres", user, superuser = true, caCertificate } = args;
    const { sslmode = caCertificate === undefined ? "require" : "verify-full" } = args;
    const { protect: isProtected, rest } = separateProtect(options);
    const given = { passwordVersion: args.passwordVersion, readyTimeout: args.readyTimeout };
    const { passwordVersion, readyTimeout } = parsed(`ExternalServer ${name}`, serverArguments, given, isProtected);
    const access: ExternalAccess = {
      ...{ host, port, database, user, superuser, sslmode, caCertificate },
      password: pulumi.secret(args.password),
      names: { user: `the arguments of ExternalServer ${name}`, superuser: "superuser" },
    };
    const sslrootcert =
      caCertificate === undefined
        ? undefined
        : pulumi.output(caCertificate).apply((bundle) => providerCaFile(bundle, name));
    super(name, { ...access, sslrootcert, readyTimeout }, rest);
    this.resourceName = name;
    this.passwordVersion = passwordVersion;
    this.isProtected = isProtected;
    this.#access = access;
  }

  availableExtensions(): Promise<ReadonlySet<string> | undefined> {
    return extensionsOfServer(this.#access);
  }

  requireRights(database: WithExtensions): Promise<ReadonlySet<string>> {
    return requireRights(this.#access, [database]);
  }
}
