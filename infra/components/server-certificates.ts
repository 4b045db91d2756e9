import * as pulumi from "@pulumi/pulumi";
import { CertificateAuthority, ServerCertificate } from "../provider/sdk/certificates.ts";

export interface ServerCertificatesArgs {
  project: string;
  stack: string;
  /** Host names that clients use to reach the server. */
  hosts: readonly pulumi.Input<string>[];
}

/** Ten years, renewed in the last year. */
const caTerm = { validityDays: 3650, renewBeforeDays: 365 };
/** One year, renewed in the last 60 days. */
const serverTerm = { validityDays: 365, renewBeforeDays: 60 };

/** Node's driver checks this name if it connects to any IP address, so the certificate must contain it. */
const everywhere = ["localhost"];

/** A stack's own CA, and the certificate of its server. */
export class ServerCertificates extends pulumi.ComponentResource {
  readonly certificate: pulumi.Output<string>;
  readonly privateKey: pulumi.Output<string>;
  /** CA certificates that clients trust, PEM. */
  readonly caCertificate: pulumi.Output<string>;
  readonly #name: string;
  readonly #authority: CertificateAuthority;

  constructor(
    name: string,
    { project, stack, hosts }: ServerCertificatesArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("pgroundwork:components:ServerCertificates", name, {}, options);
    const child = { parent: this };
    const authority = new CertificateAuthority(
      `${name}-authority`,
      { commonName: `${project} ${stack}`, ...caTerm },
      child,
    );
    this.#name = name;
    this.#authority = authority;
    const server = this.#declare("certificate", hosts);
    this.certificate = server.certificate;
    this.privateKey = server.privateKey;
    this.caCertificate = authority.trustBundle;
    this.registerOutputs({ caCertificate: this.caCertificate });
  }

  /**
   * Declares the certificate of another process that clients reach.
   *
   * @param purpose end of the resource's name: `pooler-certificate`
   */
  certificateFor(purpose: string, hosts: readonly pulumi.Input<string>[]): ServerCertificate {
    return this.#declare(`${purpose}-certificate`, hosts);
  }

  #declare(suffix: string, hosts: readonly pulumi.Input<string>[]): ServerCertificate {
    return new ServerCertificate(
      `${this.#name}-${suffix}`,
      {
        authorityCertificate: this.#authority.certificate,
        authorityKey: this.#authority.privateKey,
        hosts: [...hosts, ...everywhere],
        ...serverTerm,
      },
      { parent: this },
    );
  }
}
