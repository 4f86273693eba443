import type { Construct } from 'constructs';
import { UsageError } from '../rules/usage-error';
import { ChatModel } from './chat-model';
import type { EmbeddingModel } from './embedding-model';

/** A model, and how much of what it can attend to a server lets it. */
export interface ContextWindowProps {
  /** The model. */
  readonly model: ChatModel | EmbeddingModel;
  /** Tokens of the longest request; at most what the model can attend to. */
  readonly contextTokens?: number;
}

/** Enough for a question with its passages; the whole context of a large model would leave no room for others. */
const DEFAULT_CONTEXT = 8192;

/** Tokens of the longest request that a server takes. */
export function contextOf({ model, contextTokens }: ContextWindowProps): number {
  // Who stores and searches counts on what an embedding model reads.
  const most = mostTokens(model);
  return contextTokens ?? (model instanceof ChatModel ? Math.min(most, DEFAULT_CONTEXT) : most);
}

/** Refuses requests longer than what the model can attend to. */
export function checkContext(scope: Construct, props: ContextWindowProps): void {
  const context = contextOf(props);
  const most = mostTokens(props.model);
  if (!Number.isInteger(context) || context < 1 || context > most) {
    throw new UsageError(`is ${context}, but must be from 1 to ${most}, what ${props.model.id} can attend to`, {
      scope,
      property: 'contextTokens',
    });
  }
}

function mostTokens(model: ChatModel | EmbeddingModel): number {
  return model instanceof ChatModel ? model.contextTokens : model.maxTokens;
}
