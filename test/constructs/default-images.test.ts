import { DefaultImages } from '../../constructs/default-images';
import { IMAGE } from '../support/values';

test('nobody can put another image in the place of a default one for everybody', () => {
  expect(() => Object.assign(DefaultImages, { REDIS: IMAGE })).toThrow(TypeError);
  expect(Object.keys(DefaultImages)).toContain('REDIS');
});
