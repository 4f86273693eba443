import { ChatModel } from '../../../constructs/models/chat-model';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { RerankModel } from '../../../constructs/models/rerank-model';

const create = {
  'a chat model': (revision: string) => ChatModel.of({ id: 'a/b', contextTokens: 1, revision }),
  'a chat model of the catalogue': (revision: string) => ChatModel.QWEN2_5_7B.at(revision),
  'an embedding model': (revision: string) => EmbeddingModel.of({ id: 'a/b', dimensions: 1, maxTokens: 1, revision }),
  'an embedding model of the catalogue': (revision: string) => EmbeddingModel.BGE_M3.at(revision),
  'a reranker': (revision: string) => RerankModel.of({ id: 'a/b', maxTokens: 1, revision }),
  'a reranker of the catalogue': (revision: string) => RerankModel.BGE_RERANKER_V2_M3.at(revision),
};

describe.each(Object.entries(create))('%s', (_, at) => {
  test.each(['', ' ', 'a b', 'main ', '..', '../other', 'a..b', '-main', '--revision', 'a@b', 'ä', 'a\n'])(
    'has no revision %j',
    (revision) => {
      expect(() => at(revision)).toThrow(/^model\.revision is ".*", but must consist of letters, digits, /);
    },
  );

  test.each(['main', 'v1.0', 'refs/pr/2', '0123456789abcdef0123456789abcdef01234567', 'fp16_new-2'])(
    'has the revision %s',
    (revision) => {
      expect(at(revision).revision).toBe(revision);
    },
  );
});
