// Downloads a model from a hub that speaks Hugging Face's API into a folder, once.
//
// Files are written beside their final name and renamed when they are whole, so a run that was broken off is
// taken up where it was: files that are there are kept, and half a file is continued. A file of the name
// `.commit` says which commit they are of, and one of the name `.complete` that all of them are there; with it
// nothing is asked for again.
//
// Environment, set by the Job:
//   MODEL_ID          `BAAI/bge-m3`
//   MODEL_REVISION    branch, tag or commit
//   MODEL_DIRECTORY   folder of the model
//   HF_ENDPOINT       base URL of the hub
//   HF_TOKEN          token of an account, optional
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Attempts in a row that bring nothing; with their pauses they take ten minutes, as long as many an outage. */
const ATTEMPTS = 15;

/** Files that turned out wrong when they were whole; each was a download for nothing. */
const WRONG_FILES = 3;

// Servers that read the volume have users of their own.
process.umask(0o022);

/** The same weights in forms that no server here reads, where there are safetensors. */
const OTHER_FORMATS = /\.(bin|pt|pth|h5|msgpack|ot|gguf|tflite)$|^(onnx|openvino|original|coreml)\//;

const { MODEL_ID: id, MODEL_REVISION: revision, MODEL_DIRECTORY: folder, HF_TOKEN: token } = process.env;
const hub = process.env.HF_ENDPOINT ?? 'https://huggingface.co';
const marker = join(folder, '.complete');
const begun = join(folder, '.commit');

async function request(path, headers = {}) {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${hub}${path}`, { headers: { ...authorization, ...headers } });
  if (response.status === 401 || response.status === 403) {
    throw new Fatal(`GET ${path}: status ${response.status}; the model wants a token of an account that may read it`);
  }
  if (response.status === 404) {
    throw new Fatal(`GET ${path}: status 404; there is no such model, revision or file`);
  }
  if (!response.ok) {
    throw Object.assign(new Error(`GET ${path}: status ${response.status}`), { status: response.status });
  }
  return response;
}

/** A failure that another attempt would not change. */
class Fatal extends Error {}

/** A file that is whole and not what it should be. */
class WrongFile extends Error {}

/** What went wrong; of a connection that failed the cause says more than the message, which is "fetch failed". */
function reasonOf({ message, cause }) {
  const because = cause?.code ?? cause?.message;
  return because === undefined ? message : `${message} (${because})`;
}

/**
 * Tries until it succeeds, or nothing comes any more: an attempt that brought something is the first of a new row.
 * The Job's deadline is the end of it all.
 */
async function retried(what, attempt, arrived = async () => 0) {
  let wrong = 0;
  for (let count = 1; ; count++) {
    const before = await arrived();
    try {
      return await attempt();
    } catch (error) {
      wrong += Number(error instanceof WrongFile);
      count = (await arrived()) > before ? 1 : count;
      if (error instanceof Fatal || count === ATTEMPTS || wrong === WRONG_FILES) {
        throw error;
      }
      console.error(`${what}: ${reasonOf(error)}; attempt ${count + 1} of ${ATTEMPTS}`);
      await pauseAfter(count);
    }
  }
}

/** Waits twice as long each time, so that a hub that is down is not asked all the time. */
async function pauseAfter(attempts) {
  // 2 seconds, then twice as long each time, and a minute at most.
  const pause = Number(process.env.RETRY_MILLISECONDS ?? 2000) * Math.min(2 ** (attempts - 1), 30);
  await new Promise((resume) => setTimeout(resume, pause));
}

/** What of a repository a server needs. */
function wanted(siblings) {
  const safe = siblings.some(({ rfilename }) => rfilename.endsWith('.safetensors'));
  return siblings.filter(({ rfilename }) => !safe || !OTHER_FORMATS.test(rfilename));
}

async function sizeOf(path) {
  return existsSync(path) ? (await stat(path)).size : 0;
}

async function digestOf(path, hash = createHash('sha256')) {
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk);
  }
  return hash.digest('hex');
}

function pathOf(rfilename) {
  const path = join(folder, rfilename);
  if (!normalize(path).startsWith(`${normalize(folder)}/`)) {
    throw new Fatal(`${rfilename} would be outside ${folder}`);
  }
  return path;
}

/** Whether a file is what this commit has under its name; git tells the small ones apart, LFS the large. */
async function isOfCommit(path, { size, blobId, lfs }) {
  if ((await sizeOf(path)) !== size) {
    return false;
  }
  return lfs === undefined
    ? (await digestOf(path, createHash('sha1').update(`blob ${size}\0`))) === blobId
    : (await digestOf(path)) === lfs.sha256;
}

/** Throws away what is not of this commit: weights that were trained further have the same names and sizes. */
async function begin(commit, files) {
  if (existsSync(begun) && (await readFile(begun, 'utf8')) === commit) {
    return;
  }
  await rm(marker, { force: true });
  for (const file of files) {
    const path = pathOf(file.rfilename);
    await rm(`${path}.partial`, { force: true });
    if (existsSync(path) && !(await isOfCommit(path, file))) {
      await rm(path);
    }
  }
  await mkdir(folder, { recursive: true });
  await writeFile(begun, commit);
}

async function fetchInto(partial, commit, rfilename) {
  const have = await sizeOf(partial);
  const name = rfilename.split('/').map(encodeURIComponent).join('/');
  const range = have === 0 ? {} : { range: `bytes=${have}-` };
  const response = await request(`/${id}/resolve/${commit}/${name}`, range).catch(async (error) => {
    if (error.status === 416) {
      await rm(partial);
    }
    throw error;
  });
  const continued = response.status === 206;
  await pipeline(Readable.fromWeb(response.body), createWriteStream(partial, { flags: continued ? 'a' : 'w' }));
}

async function download(commit, { rfilename, size, lfs }) {
  const path = pathOf(rfilename);
  if (existsSync(path) && (size === undefined || (await sizeOf(path)) === size)) {
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.partial`;
  // A run may have ended between the last byte and the new name; a hub has no range after the end.
  if ((await sizeOf(partial)) === 0 || (await sizeOf(partial)) !== size) {
    await fetchInto(partial, commit, rfilename);
  }
  await verify(partial, rfilename, size, lfs?.sha256);
  await rename(partial, path);
  console.log(JSON.stringify({ file: rfilename, bytes: await sizeOf(path) }));
}

async function verify(partial, name, size, sha256) {
  const have = await sizeOf(partial);
  if (size !== undefined && have < size) {
    throw new Error(`${name} ended after ${have} of ${size} bytes`);
  }
  if ((size !== undefined && have > size) || (sha256 !== undefined && (await digestOf(partial)) !== sha256)) {
    await rm(partial);
    throw new WrongFile(`${name} is not what the hub says it is`);
  }
}

async function main() {
  const complete = existsSync(marker) ? await readFile(marker, 'utf8') : undefined;
  if (complete?.startsWith(`${revision}\n`)) {
    console.log(`${id} at ${revision} is there`);
    return;
  }
  const info = await retried(id, async () => {
    const response = await request(`/api/models/${id}/revision/${encodeURIComponent(revision)}?blobs=true`);
    return response.json();
  });
  const files = wanted(info.siblings);
  await begin(info.sha, files);
  for (const file of files) {
    const arrived = () => sizeOf(`${pathOf(file.rfilename)}.partial`);
    await retried(file.rfilename, () => download(info.sha, file), arrived);
  }
  await writeFile(marker, `${revision}\n${info.sha}\n`);
  console.log(`${id} at ${info.sha} is complete`);
}

try {
  await main();
} catch (error) {
  console.error(`${id}: ${reasonOf(error)}`);
  process.exitCode = 1;
}
