/** Where the metadata of a collection says which model its vectors are of; `create-collections.mjs` knows it too. */
export const MODEL_KEY = 'cdk8s-rag/model';
