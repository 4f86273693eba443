import { EACH_ENVIRONMENT } from '../support/environments';

describe.each(EACH_ENVIRONMENT)('%s: the same input gives the same bytes', (_, { files, again }) => {
  test('again', () => {
    expect([...again().files]).toEqual([...files]);
  });

  test('at another time and in another place', () => {
    const before = { tz: process.env.TZ, lang: process.env.LANG, now: Date.now };
    try {
      process.env.TZ = 'Pacific/Kiritimati';
      process.env.LANG = 'tr_TR.UTF-8';
      Date.now = () => 0;
      expect([...again().files]).toEqual([...files]);
    } finally {
      process.env.TZ = before.tz;
      process.env.LANG = before.lang;
      Date.now = before.now;
    }
  });
});

test('in another order of environments', () => {
  const rendered = [...EACH_ENVIRONMENT].reverse().map(([name, { again }]) => [name, [...again().files]]);
  expect(rendered.reverse()).toEqual(EACH_ENVIRONMENT.map(([name, { files }]) => [name, [...files]]));
});
