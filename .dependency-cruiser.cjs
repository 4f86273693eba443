// Arrows point down: charts, rooms, ground floor, imports; and on the ground floor from left to right:
// workload → scaling → secrets → network → placement → rules.
const ROOMS = 'api|ingestion|models|vector-store|data|edge|tenancy|observability|delivery';
const GROUND = ['rules', 'placement', 'network', 'secrets', 'scaling', 'workload'];

/** A room of the ground floor may use itself and those after it. */
const groundRules = GROUND.map((room, index) => ({
  name: `${room}-uses-only-what-is-below`,
  severity: 'error',
  from: { path: `^constructs/${room}/` },
  to: { path: '^(constructs|charts)/', pathNot: `^constructs/(${GROUND.slice(0, index + 1).join('|')})/` },
}));

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'constructs-know-no-charts',
      severity: 'error',
      from: { path: '^constructs/' },
      to: { path: '^(charts|main)' },
    },
    {
      name: 'imports-know-nothing',
      severity: 'error',
      from: { path: '^imports/' },
      to: { path: '^(charts|constructs)/' },
    },
    {
      name: 'constructs-read-no-environment',
      comment: 'zod and file positions belong to the loader; constructs take values',
      severity: 'error',
      from: { path: '^constructs/' },
      to: { path: 'node_modules/zod/' },
    },
    {
      name: 'product-uses-no-tests',
      severity: 'error',
      from: { path: '^(charts|constructs)/' },
      to: { path: '^test/' },
    },
    { name: 'everything-resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...groundRules,
    {
      name: 'rooms-are-apart',
      comment: 'what two rooms share belongs to the ground floor; what data and models describe is used by every room',
      severity: 'error',
      from: { path: `^constructs/(${ROOMS})/` },
      to: { path: `^constructs/(${ROOMS})/`, pathNot: '^constructs/($1|data|models)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['require', 'node', 'default'],
    },
  },
};
