import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import type { MainContainerProps } from './container';
import type { EnvValue } from './env-value';
import type { Image } from './image';
import type { Resources } from './resources';
import { scriptFile } from './script-file';

const DIRECTORY = '/opt/program';

/** An import of a module beside the program, as the formatter writes it. */
const IMPORT = /(?:from|import) '\.\/([^']+)';/g;

/** Enough for requests and their answers. */
const RESOURCES: Resources = { cpu: Cpu.millis(50), memory: Size.mebibytes(128) };

/**
 * A program of this library, in JavaScript for Node.js without any package: its HTTP client, file system and
 * streams are all there, the image is small, and the tests run it as it is.
 */
export class NodeProgram {
  /**
   * A program and the modules that it imports, all in one directory.
   *
   * @param directory directory of the files
   * @param main the file that is run
   */
  public static of(directory: string, main: string): NodeProgram {
    const texts = new Map<string, string>();
    const add = (name: string): void => {
      if (!texts.has(name)) {
        const text = scriptFile(directory, name);
        texts.set(name, text);
        for (const [, imported = ''] of text.matchAll(IMPORT)) {
          add(imported);
        }
      }
    };
    add(main);
    const files = [...texts].map(([name, text]): [string, string] => [`${DIRECTORY}/${name}`, text]);
    return new NodeProgram(main, Object.fromEntries(files));
  }

  private constructor(
    private readonly main: string,
    /** Files of the program by path, for `addConfigFiles`. */
    public readonly files: { readonly [path: string]: string },
  ) {}

  /**
   * The container that runs the program in an image that has Node.js; it needs the files.
   *
   * @param resources what it asks for; without them 50m and 128 MiB
   */
  public container(
    image: Image,
    env: { readonly [name: string]: EnvValue },
    resources: Resources = RESOURCES,
  ): MainContainerProps {
    return { image, command: ['node', `${DIRECTORY}/${this.main}`], env, resources };
  }
}
