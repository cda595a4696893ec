// The list of voices, grouped by their language.

import { current, words } from "./words.js";

let voices;

async function load() {
  const answer = await fetch(new URL("v1/audio/voices", document.baseURI));
  if (!answer.ok) throw new Error(answer.statusText);
  return (await answer.json()).data;
}

function languageName(tag) {
  try {
    return new Intl.DisplayNames([current()], { type: "language" }).of(tag);
  } catch {
    return tag;
  }
}

// One of OpenAI's names, which speak whatever language the text is in.
const AUTOMATIC = "alloy";

/** Fill a <select>; the choice is kept when the page's language changes. */
export async function fillVoices(select) {
  try {
    voices ??= await load();
  } catch {
    voices = undefined; // asked for again when the language changes; the automatic voice needs no list
  }
  const chosen = select.value || AUTOMATIC;
  const groups = new Map();
  for (const voice of voices ?? []) {
    if (!groups.has(voice.language)) {
      const group = document.createElement("optgroup");
      group.label = languageName(voice.language);
      groups.set(voice.language, group);
    }
    const option = new Option(voice.name, voice.id);
    option.lang = voice.language;
    groups.get(voice.language).append(option);
  }
  select.replaceChildren(new Option(words().automatic, AUTOMATIC), ...groups.values());
  select.value = chosen;
}
