// Small help with elements.

export const at = (id) => document.getElementById(id);

/** An element with properties, of which `class`, `aria-*`, `data-*` and `role` become attributes, and children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (/^(aria-|data-|class$|role$|for$|list$)/.test(name)) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** A button that does something. */
export function button(text, onClick, properties = {}) {
  const made = make("button", { type: "button", ...properties }, text);
  made.addEventListener("click", onClick);
  return made;
}

/** Show what is wrong with a field beneath it (its id and `-error`), or with `undefined` that nothing is. */
export function showFault(field, message) {
  const error = at(`${field.id}-error`);
  error.hidden = !message;
  error.textContent = message ?? "";
  if (message) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

export const isHan = (text) => /\p{Script=Han}/u.test(text);
export const languageOf = (text) => (isHan(text) ? "zh-Hans" : "en");
