import {
  SecretStoreSpecProviderVaultCaProviderType as AuthorityKind,
  type SecretStoreSpecProvider as Provider,
  SecretStoreSpecProviderVaultVersion as VaultVersion,
} from '../../imports/external-secrets.io';
import { UsageError } from '../rules/usage-error';
import type { CertificateAuthority } from './certificate-authority';
import { accountOf, type NewStoreProps } from './store-account';

/** Version of the key-value engine of Vault. */
export enum VaultEngine {
  /** Entries have no versions. */
  V1 = 'v1',
  /** Entries have versions. */
  V2 = 'v2',
}

/** A key-value engine of HashiCorp Vault, and who reads it. */
export interface VaultStoreProps extends NewStoreProps {
  /** Address of the server, as the pods of External Secrets reach it: `https://vault.acme.example:8200`. */
  readonly server: string;

  /** Path at which the key-value engine is mounted: `secret`. */
  readonly path: string;

  /**
   * Role of Vault's Kubernetes authentication that the ServiceAccount of the store logs in with. It has to be bound to
   * that ServiceAccount and namespace.
   */
  readonly role: string;

  /**
   * Path at which the Kubernetes authentication of this cluster is mounted.
   * @default "kubernetes"
   */
  readonly mountPath?: string;

  /**
   * Version of the key-value engine.
   * @default VaultEngine.V2
   */
  readonly version?: VaultEngine;

  /**
   * Audience that the role expects in tokens.
   * @default - that of the API server
   */
  readonly audience?: string;

  /**
   * Namespace of Vault Enterprise.
   * @default - the root namespace
   */
  readonly namespace?: string;

  /**
   * Who has signed the certificate of the server.
   * @default - an authority that the image of External Secrets knows
   */
  readonly authority?: CertificateAuthority;
}

/** What a SecretStore says of Vault. */
export function vaultProvider(props: VaultStoreProps): Provider {
  const { server, path, role, mountPath = 'kubernetes', version, audience, namespace, authority } = props;
  const audiences = audience === undefined ? {} : { audiences: [audience] };
  return {
    vault: {
      server,
      path,
      version: version === VaultEngine.V1 ? VaultVersion.V1 : VaultVersion.V2,
      namespace,
      auth: { kubernetes: { mountPath, role, serviceAccountRef: { ...accountOf(props), ...audiences } } },
      ...(authority === undefined
        ? {}
        : {
            caProvider: {
              type: authority.kind === 'Secret' ? AuthorityKind.SECRET : AuthorityKind.CONFIG_MAP,
              name: authority.name,
              key: authority.key,
            },
          }),
    },
  };
}

/** Refuses what leads to no Vault. */
export function checkVault({
  server,
  path,
  role,
  mountPath = 'kubernetes',
  audience,
  namespace,
}: VaultStoreProps): void {
  if (!/^https?:\/\/[^\s/?#@]+\/?$/.test(server) || !URL.canParse(server)) {
    throw new UsageError(
      `is "${server}", but must be an address such as https://vault.acme.example:8200, without a path`,
      { property: 'secrets.server' },
    );
  }
  for (const [property, value] of Object.entries({ path, mountPath, namespace })) {
    if (value !== undefined && !/^[\w.-]+(\/[\w.-]+)*$/.test(value)) {
      throw new UsageError(
        `is "${value}", but must be a path of letters, digits, "-", "_" and ".", without "/" at its ends`,
        { property: `secrets.${property}` },
      );
    }
  }
  for (const [property, value] of Object.entries({ role, audience })) {
    if (value?.trim() === '') {
      throw new UsageError('is empty; name what Vault has', { property: `secrets.${property}` });
    }
  }
}
