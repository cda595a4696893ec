// How long texts begin, to tell the jobs apart: the studio does not give their text back.

const KEPT = "isoline-voice.jobs";
const MOST = 100;
const LONGEST = 80;

function names() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {}; // a private window, or something that is not ours
  }
}

export const nameOfJob = (id) => names()[id];

export function rememberJob(id, text) {
  const begins = text.trim().slice(0, LONGEST).split(/\s+/).join(" ");
  const newest = Object.entries({ ...names(), [id]: begins }).slice(-MOST);
  try {
    localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(newest)));
  } catch {
    // Without a name the job is called by its time.
  }
}
