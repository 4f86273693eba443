import type { Construct } from 'constructs';
import type { EmbeddingModel } from '../constructs/models/embedding-model';
import type { TextEmbeddingsInferenceProps } from '../constructs/models/text-embeddings-inference';
import type { IProvider } from '../constructs/workload/provider';

/** A server of the platform's embedding model. */
export interface PlatformEmbedderProps extends Omit<TextEmbeddingsInferenceProps, 'model'> {}

/**
 * What makes vectors of a platform: a server in the cluster, or a function that makes any other provider:
 * `(_, model) => ExternalModel.openAi({ model, apiKey })`.
 */
export type PlatformEmbedder = PlatformEmbedderProps | ((scope: Construct, model: EmbeddingModel) => IProvider);
