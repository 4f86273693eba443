import { contentOf, writtenAt } from '../support/folder-content';
import { Project } from '../support/project';

jest.setTimeout(60_000);

describe('bad input stops everything before a byte is written', () => {
  const project = new Project();
  beforeEach(() => project.restore());
  afterAll(() => project.remove());

  test.each([
    [
      'a mistake that the schema finds, at its line',
      'nodes: 3\n',
      'nodes: three\n',
      /^charts\/environments\/production\.yaml:\d+:3 qdrant\.nodes: is "three", but must be a number$/m,
    ],
    [
      'a mistake that a construct finds, at its line',
      'nodes: 3\n',
      'nodes: 2\n',
      /^charts\/environments\/production\.yaml:\d+:3 qdrant\.nodes: is 2, but two nodes lose their quorum .*; use 1, or 3 or more$/m,
    ],
    [
      'a mistake that is found when everything is there, at the line of the largest scale',
      'nodes: 8,',
      'nodes: 4,',
      /^charts\/environments\/production\.yaml:\d+:3 embeddingWorkers\.scaling: is more than its pool holds: node pool "gpu-ingestion" has at most 4 × 1 = 4 nvidia-l4, but rag\/embedding-workers 8 pods .*; lower the largest scale or enlarge the pool$/m,
    ],
    [
      'a mistake that a rule finds, in its file and by the object',
      'sharedMemory: 2Gi\n',
      'sharedMemory: 2Gi\n  env: { DATABASE_PASSWORD: hunter2 }\n',
      /^charts\/environments\/production\.yaml Deployment rag-production\/embedding-workers: container embedding-workers has the variable DATABASE_PASSWORD with a value; refer to the key of a Secret instead$/m,
    ],
  ])('%s', (_, from, to, message) => {
    project.changeEnvironment('production.yaml', from, to);
    // Another environment changes for the better in the same run; it must not be written either.
    project.changeEnvironment('dev.yaml', 'cpu: 500m', 'cpu: 600m');
    const dist = project.pathOf('dist');
    const before = [contentOf(dist), writtenAt(dist)];
    const { status, stdout, stderr } = project.main();
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(status).toBe(1);
    expect([contentOf(dist), writtenAt(dist)]).toEqual(before);
  });
});
