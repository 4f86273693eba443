import { resolve } from 'node:path';
import { EACH_ENVIRONMENT, renderFile } from '../support/environments';

const SHIPPED = resolve(__dirname, '..', '..', 'charts', 'environments');
const ODD = resolve(__dirname, '..', 'environments');

describe.each(EACH_ENVIRONMENT)('%s: the same input gives the same bytes', (name, { files }) => {
  const folder = ['dev', 'staging', 'production'].includes(name) ? SHIPPED : ODD;

  test('again', () => {
    expect([...renderFile(`${folder}/${name}.yaml`).files]).toEqual([...files]);
  });

  test('at another time and in another place', () => {
    const before = { tz: process.env.TZ, lang: process.env.LANG, now: Date.now };
    try {
      process.env.TZ = 'Pacific/Kiritimati';
      process.env.LANG = 'tr_TR.UTF-8';
      Date.now = () => 0;
      expect([...renderFile(`${folder}/${name}.yaml`).files]).toEqual([...files]);
    } finally {
      process.env.TZ = before.tz;
      process.env.LANG = before.lang;
      Date.now = before.now;
    }
  });
});

test('in another order of environments', () => {
  const rendered = [...EACH_ENVIRONMENT].reverse().map(([name]) => {
    const folder = ['dev', 'staging', 'production'].includes(name) ? SHIPPED : ODD;
    return [name, [...renderFile(`${folder}/${name}.yaml`).files]];
  });
  expect(rendered.reverse()).toEqual(EACH_ENVIRONMENT.map(([name, { files }]) => [name, [...files]]));
});
