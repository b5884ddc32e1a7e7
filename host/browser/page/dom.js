// Short ways to make elements.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children. What begins with "on" is a listener. */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for drawings. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export function byId(id) {
  return document.getElementById(id);
}

/** Replaces what an element holds. */
export function put(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null));
}

/** Scrolls a box to its end. */
export function toEnd(element) {
  element.scrollTop = element.scrollHeight;
}

export const CHANNELS = [
  ["sms", "SMS"],
  ["whatsapp", "WhatsApp"],
  ["voice", "Voice"],
  ["email", "E-mail"],
];

export function channelName(channel) {
  return CHANNELS.find(([id]) => id === channel)?.[1] ?? channel;
}
