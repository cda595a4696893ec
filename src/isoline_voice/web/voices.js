// The voices that can be chosen: one's own and the studio's.

import { askJson } from "./ask.js";
import { make } from "./dom.js";
import { current, words } from "./words.js";

// One of OpenAI's names, which speak whatever language the text is in.
const AUTOMATIC = "alloy";
export const RECORDING = "recording";

let voices;

/** All voices, `own` and `offered`; asked for once, and again with `anew`. */
export async function loadVoices({ anew = false } = {}) {
  if (anew) voices = undefined;
  voices ??= (await askJson("v1/audio/voices")).data;
  const isOwn = (voice) => voice.type === "audio_sample";
  return { own: voices.filter(isOwn), offered: voices.filter((voice) => !isOwn(voice)) };
}

export function languageName(tag) {
  try {
    return new Intl.DisplayNames([current()], { type: "language" }).of(tag);
  } catch {
    return tag;
  }
}

/** Fill a <select>; the choice is kept. With `recording`, the last choice is a recording's voice. */
export async function fillVoices(select, { recording }) {
  let own = [];
  let offered = [];
  try {
    ({ own, offered } = await loadVoices());
  } catch {
    // Asked for again when the language changes; the automatic voice needs no list.
  }
  const groups = new Map();
  for (const voice of offered) {
    if (!groups.has(voice.language)) groups.set(voice.language, make("optgroup", { label: languageName(voice.language) }));
    groups.get(voice.language).append(make("option", { value: voice.id, lang: voice.language }, voice.name));
  }
  const mine = make("optgroup", { label: words().ownVoices }, ...own.map((voice) => new Option(voice.name, voice.id)));
  // Only now: somebody may have chosen while the list was on its way.
  const chosen = select.value || AUTOMATIC;
  select.replaceChildren(
    new Option(words().automatic, AUTOMATIC),
    ...(own.length ? [mine] : []),
    ...groups.values(),
    ...(recording ? [new Option(words().fromRecording, RECORDING)] : []),
  );
  select.value = [...select.options].some((option) => option.value === chosen) ? chosen : AUTOMATIC;
}
