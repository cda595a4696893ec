// What was spoken on this device, in the browser's own database. Nothing of it goes to the studio.

const NAME = "isoline-voice";
const STORE = "spoken";
const MOST = 50;
const MOST_BYTES = 200 * 1024 * 1024;

let opened;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id", autoIncrement: true });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function run(mode, act) {
  const store = (await open()).transaction(STORE, mode).objectStore(STORE);
  const request = act(store);
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** All entries, the newest first. */
export async function entries() {
  return (await run("readonly", (store) => store.getAll())).reverse();
}

/** Keep an entry with its audio in the Blob `audio`; the oldest make room for it. */
export async function keep(entry) {
  if (entry.audio.size > MOST_BYTES) return;
  await run("readwrite", (store) => store.add(entry));
  let bytes = 0;
  for (const [place, { id, audio }] of (await entries()).entries()) {
    bytes += audio.size;
    if (place >= MOST || bytes > MOST_BYTES) await remove(id);
  }
}

export const remove = (id) => run("readwrite", (store) => store.delete(id));
export const clear = () => run("readwrite", (store) => store.clear());
