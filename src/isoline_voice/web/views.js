// The pages of the studio: one is shown, the address says which.

import { at } from "./dom.js";

const VIEWS = ["speak", "voices", "jobs", "history"];

const listeners = new Map();

export const view = () => {
  const named = location.hash.slice(1);
  return VIEWS.includes(named) ? named : VIEWS[0];
};

/** Call `listener` whenever a view comes into sight. */
export const onView = (name, listener) => listeners.set(name, listener);

/** Show a view, and put the focus where it begins. */
export function go(name) {
  if (view() === name) show();
  else location.hash = name;
}

function show() {
  for (const name of VIEWS) at(`view-${name}`).hidden = name !== view();
  for (const link of document.querySelectorAll(".views a")) {
    if (link.hash.slice(1) === view()) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.body.dataset.view = view();
  listeners.get(view())?.();
}

export function installViews() {
  for (const link of document.querySelectorAll(".views a")) {
    // Behind a prefix the link's address is that of another document: only its last part counts.
    link.addEventListener("click", (event) => {
      event.preventDefault();
      go(link.hash.slice(1));
    });
  }
  addEventListener("hashchange", () => {
    show();
    at(`view-${view()}-title`).focus();
  });
  show();
}
