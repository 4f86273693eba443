/** API version of External Secrets. */
export enum ExternalSecretsVersion {
  /** External Secrets 0.16 and newer. */
  V1 = 'v1',
  /** Older releases, which do not serve v1. */
  V1BETA1 = 'v1beta1',
}
