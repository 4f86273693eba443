import { EnvValue } from '../workload/env-value';

/**
 * Variables by which SDKs know the region: that of Python reads another one than the rest (AWS SDKs and Tools Reference
 * Guide, "AWS Region"; boto3 docs, "Configuration"). The webhook of EKS sets neither where one of them is set.
 */
export function regionVariables(region: string): { [name: string]: EnvValue } {
  return { AWS_REGION: EnvValue.of(region), AWS_DEFAULT_REGION: EnvValue.of(region) };
}
