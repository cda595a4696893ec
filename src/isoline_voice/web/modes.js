// The modes, named as CosyVoice's users know them, and which fields each of them has.

import { at, make } from "./dom.js";
import { RECORDING } from "./voices.js";
import { current, words } from "./words.js";

export const MODES = { instruct: "自然语言控制", preset: "预训练音色", zero_shot: "3s极速复刻", cross_lingual: "跨语种复刻" };

export const mode = () => document.querySelector("input[name=mode]:checked")?.value ?? "instruct";

/** Whether the voice is that of a recording, which not every mode asks for. */
export const isRecorded = () =>
  mode() === "zero_shot" || mode() === "cross_lingual" || (mode() === "instruct" && at("voice").value === RECORDING);

export function chooseMode(name) {
  document.querySelector(`input[name=mode][value=${name}]`).checked = true;
}

/** Write the modes' names in the language of the moment. */
export function showModes(onChange) {
  const chosen = mode();
  const list = at("modes");
  const focused = list.contains(document.activeElement);
  list.replaceChildren(
    ...Object.entries(MODES).map(([name, chinese]) => {
      const input = make("input", { type: "radio", name: "mode", value: name, checked: name === chosen });
      input.addEventListener("change", onChange);
      const label = make("span", { class: "mode-name" }, words().modes[name].name);
      if (current() !== "zh") label.append(" ", make("span", { class: "mode-zh", lang: "zh-Hans" }, chinese));
      return make("label", { class: "mode" }, input, label);
    }),
  );
  if (focused) list.querySelector("input:checked").focus();
}

/** Show the fields of the mode, and only them. */
export function showFields() {
  at("mode-hint").textContent = words().modes[mode()].hint;
  for (const field of document.querySelectorAll("[data-modes]")) {
    const modes = field.dataset.modes.split(" ");
    field.hidden = !(modes.includes(mode()) || (modes.includes("recording") && isRecorded()));
  }
}
