import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv';
import { parseAllDocuments } from 'yaml';
import type { Json, ManifestObject } from '../../constructs/rules/output';

/**
 * Folder with `schemas/kubernetes-<minor>-swagger.json` (the API server's OpenAPI v2) and `crds/*.yaml`. They
 * are too large to be part of the repository; by default they are looked for beside it.
 */
export const SCHEMAS = process.env.CDK8S_RAG_SCHEMAS ?? resolve(__dirname, '..', '..', '..', 'shared');

/** Whether there are schemas to validate with. */
export const SCHEMAS_PRESENT = existsSync(join(SCHEMAS, 'schemas')) && existsSync(join(SCHEMAS, 'crds'));

/** The schemas of a cluster: core kinds of a Kubernetes minor, and the custom resources. */
export class ClusterSchemas {
  private readonly ajv: Ajv;
  private readonly ids = new Map<string, string>();
  private readonly customResources = new Set<string>();

  public constructor(minor: string, options: { readonly useDefaults: boolean } = { useDefaults: false }) {
    this.ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, ...options });
    this.addCore(minor);
    this.addCustomResources();
  }

  /** What the API server would say against an object; unknown fields are errors. */
  public errors(object: ManifestObject): string[] {
    const validate = this.validatorOf(object);
    return validate(object)
      ? []
      : (validate.errors ?? []).map(
          ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
        );
  }

  /** Whether the object is of a kind that a CRD defines. */
  public isCustomResource({ apiVersion, kind }: ManifestObject): boolean {
    return this.customResources.has(`${apiVersion}/${kind}`);
  }

  private validatorOf({ apiVersion, kind }: ManifestObject): ValidateFunction {
    const id = this.ids.get(`${apiVersion}/${kind}`);
    if (id === undefined) {
      throw new Error(`there is no schema for ${apiVersion} ${kind}`);
    }
    return this.ajv.getSchema(id) ?? this.ajv.compile({ $ref: id });
  }

  private addCore(minor: string): void {
    const swagger = JSON.parse(readFileSync(join(SCHEMAS, 'schemas', `kubernetes-${minor}-swagger.json`), 'utf8'));
    const definitions = closed({ definitions: swagger.definitions }).definitions;
    this.ajv.addSchema({ $id: 'core', definitions });
    for (const [name, definition] of Object.entries<Json>(swagger.definitions)) {
      for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
        this.ids.set(`${group === '' ? version : `${group}/${version}`}/${kind}`, `core#/definitions/${name}`);
      }
    }
  }

  private addCustomResources(): void {
    for (const file of readdirSync(join(SCHEMAS, 'crds')).filter((name) => NEEDED.test(name))) {
      for (const document of parseAllDocuments(readFileSync(join(SCHEMAS, 'crds', file), 'utf8'))) {
        this.addCustomResource(document.toJS());
      }
    }
  }

  private addCustomResource(crd: Json): void {
    for (const { name, schema, served } of crd?.spec?.versions ?? []) {
      const id = `${crd.spec.group}/${name}/${crd.spec.names.kind}`;
      if (served !== false || name === 'v1beta1') {
        const root = schema.openAPIV3Schema;
        const properties = { ...root.properties, metadata: { type: 'object' }, apiVersion: {}, kind: {} };
        this.ajv.addSchema({ ...closed({ ...root, properties }), $id: id });
        this.ids.set(id, id);
        this.customResources.add(id);
      }
    }
  }
}

/** Kinds whose schemas are not among those at hand. */
export const WITHOUT_SCHEMA = ['KafkaUser', 'ObjectStore', 'Queue'];

/** Files with the custom resources that the library renders, and with the Application of the examples. */
const NEEDED =
  /^(argo-cd|keda|gateway-api|external-secrets|cert-manager|cilium|cloudnative-pg|prometheus-operator|rabbitmq|secrets-store-csi-driver|strimzi)\.yaml$/;

/** Parts of a schema that only add conditions; what fields there are stands outside of them. */
const CONDITIONS = ['anyOf', 'oneOf', 'allOf', 'not'];

/**
 * A schema in which unknown fields are errors, as for `kubectl --validate=strict`, and in which the two types
 * that are text or number are just that.
 */
function closed(schema: Json, structural = true): Json {
  if (Array.isArray(schema)) {
    return schema.map((entry) => closed(entry, structural));
  }
  if (typeof schema !== 'object' || schema === null) {
    return schema;
  }
  if (schema.format === 'int-or-string' || schema['x-kubernetes-int-or-string'] === true) {
    return {};
  }
  const result = Object.fromEntries(
    Object.entries(schema)
      .filter(([key, child]) => key !== 'pattern' || isRegExp(child))
      .map(([key, child]) => [key, closed(child, structural && !CONDITIONS.includes(key))]),
  );
  return structural && lists(schema) ? { ...result, additionalProperties: false } : result;
}

/** Whether a schema lists all fields that there are. */
function lists(schema: Json): boolean {
  const open = schema.additionalProperties !== undefined || schema['x-kubernetes-preserve-unknown-fields'] === true;
  return typeof schema.properties === 'object' && schema.type === 'object' && !open;
}

/** Some patterns are of Go's regular expressions and mean nothing in JavaScript's. */
function isRegExp(pattern: unknown): boolean {
  try {
    return new RegExp(String(pattern), 'u') instanceof RegExp;
  } catch {
    return false;
  }
}
