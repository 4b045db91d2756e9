import * as pulumi from "@pulumi/pulumi";
import { resourceToken } from "./token.ts";

/** How long a certificate lasts, and how long before its end `up` makes the next. */
interface TermArgs {
  validityDays: pulumi.Input<number>;
  renewBeforeDays: pulumi.Input<number>;
}

export interface CertificateAuthorityArgs extends TermArgs {
  /** What it is called. Another name makes another authority. */
  commonName: pulumi.Input<string>;
  /** Another authority is made, with another key, when it changes; the one before it is trusted for as long as it lasts. */
  keeper?: pulumi.Input<string> | undefined;
}

/** A stack's own certificate authority. */
export class CertificateAuthority extends pulumi.CustomResource {
  /** PEM. */
  declare readonly certificate: pulumi.Output<string>;
  /** PEM, PKCS#8; secret. */
  declare readonly privateKey: pulumi.Output<string>;
  /** PEM: what clients trust, authorities before this one included for as long as they last. */
  declare readonly trustBundle: pulumi.Output<string>;
  /** When it ends, in ISO 8601. */
  declare readonly notAfter: pulumi.Output<string>;

  constructor(name: string, args: CertificateAuthorityArgs, options?: pulumi.CustomResourceOptions) {
    const outputs = { certificate: undefined, privateKey: undefined, trustBundle: undefined, notAfter: undefined };
    super(
      resourceToken("CertificateAuthority"),
      name,
      { ...outputs, ...args },
      { ...options, additionalSecretOutputs: ["privateKey"] },
    );
  }
}

export interface ServerCertificateArgs extends TermArgs {
  /** PEM; one that was renewed with the same key is no reason for a new certificate of the server's. */
  authorityCertificate: pulumi.Input<string>;
  /** PEM, PKCS#8; secret. */
  authorityKey: pulumi.Input<string>;
  /** DNS names and IP addresses by which clients reach the server. */
  hosts: pulumi.Input<pulumi.Input<string>[]>;
}

/** A server's certificate. */
export class ServerCertificate extends pulumi.CustomResource {
  /** PEM. */
  declare readonly certificate: pulumi.Output<string>;
  /** PEM, PKCS#8; secret. */
  declare readonly privateKey: pulumi.Output<string>;
  /** When it ends, in ISO 8601. */
  declare readonly notAfter: pulumi.Output<string>;
  /** SHA-256, as OpenSSL prints it. */
  declare readonly fingerprint: pulumi.Output<string>;

  constructor(name: string, args: ServerCertificateArgs, options?: pulumi.CustomResourceOptions) {
    const outputs = { certificate: undefined, privateKey: undefined, notAfter: undefined, fingerprint: undefined };
    super(
      resourceToken("ServerCertificate"),
      name,
      { ...outputs, ...args },
      { ...options, additionalSecretOutputs: ["privateKey"] },
    );
  }
}
