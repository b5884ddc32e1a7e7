// Small helpers. Whatever people wrote goes in as text, never as HTML.

export const $ = (selector) => document.querySelector(selector);

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (attribute.startsWith("on")) made.addEventListener(attribute.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(attribute, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const time = (text) =>
  element("time", { datetime: text }, new Date(text).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }));

export const button = (label, onclick, attributes = {}) => element("button", { type: "button", onclick, ...attributes }, label);

/** Says something until it is closed, or until something else is said. */
export function say(text) {
  $("#message").hidden = text === "";
  $("#message span").textContent = text;
}

/** Runs something, and says what went wrong. */
export const trying = (work) => async (...given) => {
  try {
    await work(...given);
  } catch (error) {
    say(error.message);
  }
};

/** Asks why. Gives the reason, or nothing. */
export function askWhy(title) {
  const dialog = $("#why");
  $("#why-title").textContent = title;
  $("#why-reason").value = "";
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes" ? $("#why-reason").value : null), { once: true });
  });
}
