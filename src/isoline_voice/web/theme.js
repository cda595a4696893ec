// Light, dark, or as the device has it.

import { at } from "./dom.js";
import { onLanguage, words } from "./words.js";

const KEPT = "isoline-voice.theme";
const NEXT = { auto: "light", light: "dark", dark: "auto" };
const SIGNS = { auto: "◐", light: "○", dark: "●" };
const MEDIA = { auto: "(prefers-color-scheme: dark)", light: "not all", dark: "all" };

let theme = kept();

function kept() {
  try {
    const choice = localStorage.getItem(KEPT);
    return choice in NEXT ? choice : "auto";
  } catch {
    return "auto"; // a private window forgets the choice
  }
}

function show() {
  at("dark").media = MEDIA[theme];
  at("theme").textContent = `${SIGNS[theme]} ${words().themes[theme]}`;
  at("theme").setAttribute("aria-label", words().themeLabel(words().themes[theme]));
  document.dispatchEvent(new Event("theme"));
}

export function installTheme() {
  at("theme").addEventListener("click", () => {
    theme = NEXT[theme];
    try {
      localStorage.setItem(KEPT, theme);
    } catch {
      // Nothing to do: see kept().
    }
    show();
  });
  onLanguage(show);
}
