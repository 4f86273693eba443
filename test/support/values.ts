import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { SecretKey } from '../../constructs/secrets/secret-key';
import { Image } from '../../constructs/workload/image';
import type { Resources } from '../../constructs/workload/resources';

/** An image of the user's own. */
export const IMAGE = Image.of('ghcr.io/acme/program', { tag: '1.2.3' });

/** A digest of the right form. */
export const DIGEST = `sha256:${'a'.repeat(64)}`;

/** Something to ask for. */
export const RESOURCES: Resources = { cpu: Cpu.millis(500), memory: Size.gibibytes(1) };

/** A reference to a Secret that exists. */
export const KEY = SecretKey.of('existing', 'key');
