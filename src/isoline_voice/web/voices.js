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

/** Fill a <select>; the choice is kept when the page's language changes. */
export async function fillVoices(select) {
  try {
    voices ??= await load();
  } catch {
    select.replaceChildren(new Option(words().defaultVoice, "alloy"));
    return;
  }
  const chosen = select.value || voices[0].id;
  const groups = new Map();
  for (const voice of voices) {
    if (!groups.has(voice.language)) {
      const group = document.createElement("optgroup");
      group.label = languageName(voice.language);
      groups.set(voice.language, group);
    }
    groups.get(voice.language).append(new Option(voice.name, voice.id));
  }
  select.replaceChildren(...groups.values());
  select.value = chosen;
}
