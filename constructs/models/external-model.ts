import { ExternalService } from '../data/external-service';
import { checkPortNumber } from '../network/port';
import { checkCidrsOf } from '../rules/address-range';
import { checkHost } from '../rules/host-name';
import { UsageError } from '../rules/usage-error';
import type { SecretKey } from '../secrets/secret-key';
import { EnvValue } from '../workload/env-value';
import type { IProvider, Offer } from '../workload/provider';
import { type IModel, ModelRole } from './model';

/** A model that somebody else serves. */
export interface ExternalModelProps {
  /** The model, by the name that the service knows it under. */
  readonly model: IModel;

  /** Key of the service. */
  readonly apiKey: SecretKey;

  /**
   * Addresses behind its name, where they are known and stable, such as those of a private endpoint.
   * @default - unknown
   */
  readonly cidrs?: string[];

  /**
   * Beginning of the names of the variables that clients get.
   * @default - EMBEDDING, LLM or RERANKER, by what the model is for
   */
  readonly envPrefix?: string;
}

/** A model at a URL. */
export interface CompatibleModelProps extends Omit<ExternalModelProps, 'apiKey'> {
  /**
   * Key of the service.
   * @default - none
   */
  readonly apiKey?: SecretKey;

  /** Base URL of the API, with `https://` and without a slash at the end: `https://api.acme.example/v1`. */
  readonly url: string;
}

/** A model in Azure OpenAI. */
export interface AzureOpenAiProps extends ExternalModelProps {
  /** Name of the Azure OpenAI resource: `acme-rag` in `acme-rag.openai.azure.com`. */
  readonly resource: string;
}

/** Who serves models, and which. */
export class ModelService {
  /** OpenAI. */
  public static readonly OPEN_AI = new ModelService('OpenAI', [ModelRole.EMBEDDING, ModelRole.CHAT]);
  /** Azure OpenAI. */
  public static readonly AZURE_OPEN_AI = new ModelService('Azure OpenAI', [ModelRole.EMBEDDING, ModelRole.CHAT]);
  /** Voyage AI. */
  public static readonly VOYAGE = new ModelService('Voyage', [ModelRole.EMBEDDING, ModelRole.RERANK]);

  private constructor(
    /** Name of the service. */
    public readonly name: string,
    /** What it has models for. */
    public readonly roles: readonly ModelRole[],
  ) {}

  /** Refuses what this service cannot serve. */
  public check({ model, apiKey }: Pick<CompatibleModelProps, 'model' | 'apiKey'>): void {
    const { name, roles } = this;
    if (!roles.includes(model.role)) {
      throw new UsageError(
        `is ${model.id}, a model ${model.role.purpose}, but ${name} has models ` +
          `${roles.map(({ purpose }) => purpose).join(' and ')} only; take another service`,
        { property: 'model' },
      );
    }
    if (model.id.includes('/')) {
      throw new UsageError(
        `is ${model.id}, the name of a model in a hub, but ${name} has its own: text-embedding-3-small, gpt-4.1, ` +
          'voyage-3.5; take one of them, or a server in the cluster',
        { property: 'model' },
      );
    }
    if (apiKey === undefined) {
      throw new UsageError(`is missing, but ${name} answers nobody without a key; name the Secret that has it`, {
        property: 'apiKey',
      });
    }
  }
}

const OPEN_AI = 'https://api.openai.com/v1';
const VOYAGE = 'https://api.voyageai.com/v1';
/** What clients take as it stands: a parser of URLs forgives spaces, missing slashes and a lone "?". */
const PLAIN = /^https?:\/\/[^\s?#\\]+$/;
const RESOURCE = /^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/;

/**
 * A hosted model. Clients get the same variables as from a server in the cluster, so one stands in for the
 * other; its connections are allowed like those of every external service.
 */
export class ExternalModel implements IProvider {
  /**
   * A model of OpenAI.
   *
   * @throws UsageError when it ranks passages, has the name of a hub, or there is no key
   */
  public static openAi(props: ExternalModelProps): ExternalModel {
    ModelService.OPEN_AI.check(props);
    return new ExternalModel({ ...props, url: OPEN_AI });
  }

  /**
   * A model in Azure OpenAI, by the API of version 1, in which the name of the deployment is that of the model.
   * Source: Azure OpenAI docs, "API lifecycle".
   *
   * @throws UsageError when it ranks passages, has the name of a hub, or there is no key; pods that show an identity
   * of Azure instead of a key take {@link ExternalModel.compatible}
   */
  public static azureOpenAi(props: AzureOpenAiProps): ExternalModel {
    if (!RESOURCE.test(props.resource)) {
      throw new UsageError(`is "${props.resource}", but must be the name of an Azure resource, without its domain`, {
        property: 'resource',
      });
    }
    ModelService.AZURE_OPEN_AI.check(props);
    return new ExternalModel({ ...props, url: `https://${props.resource}.openai.azure.com/openai/v1` });
  }

  /**
   * A model of Voyage AI.
   *
   * @throws UsageError when it generates text, has the name of a hub, or there is no key
   */
  public static voyage(props: ExternalModelProps): ExternalModel {
    ModelService.VOYAGE.check(props);
    return new ExternalModel({ ...props, url: VOYAGE });
  }

  /**
   * A model behind any API in the form of OpenAI's.
   *
   * @throws UsageError when the URL has no scheme `https` or `http`, or carries a user, a query or a fragment
   */
  public static compatible(props: CompatibleModelProps): ExternalModel {
    return new ExternalModel(props);
  }

  /** The model. */
  public readonly model: IModel;

  private readonly service: ExternalService;
  private readonly props: CompatibleModelProps;

  private constructor(props: CompatibleModelProps) {
    const { hostname, port } = checkedUrl(props.url);
    checkHost(hostname, 'url');
    checkPortNumber(port, 'url');
    checkCidrsOf([hostname], props.cidrs ?? [], 'cidrs');
    this.props = props;
    this.model = props.model;
    this.service = new ExternalService({ host: hostname, port, cidrs: props.cidrs, http: true });
  }

  public offerTo(): Offer {
    const { apiKey, envPrefix = this.model.role.envPrefix, url } = this.props;
    return {
      ...this.service.offerTo(),
      env: {
        [`${envPrefix}_URL`]: EnvValue.of(url),
        [`${envPrefix}_SERVER_URL`]: EnvValue.of(url.replace(/\/v1$/, '')),
        ...this.model.env(envPrefix),
        ...(apiKey === undefined ? {} : { [`${envPrefix}_API_KEY`]: EnvValue.fromSecret(apiKey) }),
      },
    };
  }
}

function checkedUrl(text: string): { readonly hostname: string; readonly port: number } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const defaults: { readonly [protocol: string]: number } = { 'https:': 443, 'http:': 80 };
  const usual = defaults[url?.protocol ?? ''];
  // A user in the URL would be a password in the output; it is not repeated here either.
  const anonymous = url?.username === '' && url.password === '';
  if (url === undefined || usual === undefined || !anonymous || !PLAIN.test(text)) {
    throw new UsageError('must be a URL with https or http, host and path alone: https://api.acme.example/v1', {
      property: 'url',
    });
  }
  if (text.endsWith('/')) {
    throw new UsageError(`is "${text}", but clients add their paths to it; leave out the slash at the end`, {
      property: 'url',
    });
  }
  // An IPv6 address stands in brackets in a URL and nowhere else.
  return { hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port === '' ? usual : Number(url.port) };
}
