import { qdrantBinary } from '../support/programs';
import type { QdrantUnderTest } from './qdrant-under-test';
import { RealQdrant } from './real-qdrant';
import { StandIn } from './stand-in';

/** Seconds for one scenario: a real cluster forms in some, and programs look once in a second. */
const SCENARIO = 240;

/**
 * Plays scenarios with a cluster of three nodes, anew for each: always with the stand-in, and with real servers where
 * QDRANT_BINARY names the program.
 */
export function onEachQdrant(scenarios: (cluster: () => QdrantUnderTest) => void): void {
  const binary = qdrantBinary();
  jest.setTimeout(SCENARIO * 1000);
  describe('the stand-in', () => scenarios(clusterOf(() => StandIn.start(3))));
  (binary === undefined ? describe.skip : describe)('Qdrant', () =>
    scenarios(clusterOf(() => RealQdrant.start(binary as string, 3))),
  );
}

/** A cluster for each scenario, which ends with it. */
function clusterOf(start: () => Promise<QdrantUnderTest>): () => QdrantUnderTest {
  let cluster: QdrantUnderTest | undefined;
  beforeEach(async () => {
    cluster = await start();
  });
  afterEach(() => cluster?.stop());
  return () => cluster as QdrantUnderTest;
}
