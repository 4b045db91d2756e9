import type * as pulumi from "@pulumi/pulumi";
import { PluginResource } from "./plugin-resource.ts";

/** Term of a certificate, and the number of days before its end from which `up` renews it. */
interface TermArgs {
  validityDays: pulumi.Input<number>;
  renewBeforeDays: pulumi.Input<number>;
}

export interface CertificateAuthorityArgs extends TermArgs {
  /** Common name of the CA. Another name creates another CA. */
  commonName: pulumi.Input<string>;
  /**
   * Rotation trigger: a change creates another CA with another key. The CA before it stays trusted until it expires.
   */
  keeper?: pulumi.Input<string> | undefined;
}

/** A stack's own CA. */
export class CertificateAuthority extends PluginResource {
  /** PEM. */
  declare readonly certificate: pulumi.Output<string>;
  /** PEM, PKCS#8; secret. */
  declare readonly privateKey: pulumi.Output<string>;
  /** PEM of the CA certificates that clients trust, including earlier ones until they expire. */
  declare readonly trustBundle: pulumi.Output<string>;
  /** End of its term, in ISO 8601. */
  declare readonly notAfter: pulumi.Output<string>;

  constructor(name: string, args: CertificateAuthorityArgs, options?: pulumi.CustomResourceOptions) {
    super("CertificateAuthority", name, args, options);
  }
}

export interface ServerCertificateArgs extends TermArgs {
  /** PEM of the CA certificate. A CA renewed with the same key does not create a new server certificate. */
  authorityCertificate: pulumi.Input<string>;
  /** PEM, PKCS#8; secret. */
  authorityKey: pulumi.Input<string>;
  /** DNS names and IP addresses that clients use to reach the server. */
  hosts: pulumi.Input<pulumi.Input<string>[]>;
}

/** A server's certificate. */
export class ServerCertificate extends PluginResource {
  /** PEM. */
  declare readonly certificate: pulumi.Output<string>;
  /** PEM, PKCS#8; secret. */
  declare readonly privateKey: pulumi.Output<string>;
  /** End of its term, in ISO 8601. */
  declare readonly notAfter: pulumi.Output<string>;
  /** SHA-256, as OpenSSL prints it. */
  declare readonly fingerprint: pulumi.Output<string>;

  constructor(name: string, args: ServerCertificateArgs, options?: pulumi.CustomResourceOptions) {
    super("ServerCertificate", name, args, options);
  }
}
