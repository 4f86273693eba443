import { basename, dirname } from 'node:path';

/**
 * What operating systems, file servers, editors and Git users leave in every folder: .DS_Store, Thumbs.db, swap and backup
 * files, .gitkeep. It says nothing about the output, and comes again by itself.
 */
const LITTER = [
  /^\.(DS_Store|localized|directory|gitkeep|keep)$/,
  /^\._/,
  /^(Thumbs\.db|ehthumbs\.db|desktop\.ini)$/i,
  /^\..+\.sw[a-p]$/,
  /^\.#/,
  /^#.*#$/,
  /~$/,
  /^\.(nfs|fuse_hidden)[0-9a-f]+$/,
];

/** Whether a file is of a kind that comes by itself, and can go without asking. */
export function isLitter(file: string): boolean {
  return LITTER.some((name) => name.test(basename(file)));
}

/**
 * How messages name these files: a folder that holds nothing else stands for all that is in it.
 *
 * @param foreign the files
 * @param others every other file, by its path in the same folder
 */
export function shortestNames(foreign: readonly string[], others: readonly string[]): string[] {
  const used = new Set(others.flatMap(foldersAbove));
  return [...new Set(foreign.map((file) => foldersAbove(file).find((folder) => !used.has(folder)) ?? file))];
}

/** The folders that a file is in, the outermost first. */
function foldersAbove(file: string): string[] {
  const folder = dirname(file);
  return folder === '.' ? [] : [...foldersAbove(folder), folder];
}
