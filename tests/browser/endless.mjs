// Makes a policy that never ends: the body of one of its functions is replaced by a loop.

/** A copy of a component in which the core function behind an export loops for ever. */
export function endless(component, name) {
  const bytes = Buffer.from(component);
  for (const { id, start, end } of sections(bytes, 8, bytes.length)) {
    if (id === 1 && loopInModule(bytes, start + 8, end, name)) {
      return bytes;
    }
  }
  throw new Error(`no module exports ${name}`);
}

/** The sections between two places: each one's number, its first byte and the byte after its last. */
function* sections(bytes, from, to) {
  let at = from;
  while (at < to) {
    const id = bytes[at];
    const [size, start] = number(bytes, at + 1);
    yield { id, start, end: start + size };
    at = start + size;
  }
}

function loopInModule(bytes, from, to, name) {
  let imported = 0;
  let wanted = null;
  for (const { id, start } of sections(bytes, from, to)) {
    if (id === 2) imported = functionsImported(bytes, start);
    if (id === 7) wanted = exported(bytes, start, name);
    if (id === 10 && wanted !== null) {
      loop(bytes, start, wanted - imported);
      return true;
    }
  }
  return false;
}

function functionsImported(bytes, start) {
  let [count, at] = number(bytes, start);
  let functions = 0;
  for (; count > 0; count -= 1) {
    at = text(bytes, text(bytes, at)[1])[1];
    if (bytes[at] !== 0) throw new Error("only functions are expected to be imported");
    functions += 1;
    at = number(bytes, at + 1)[1];
  }
  return functions;
}

function exported(bytes, start, name) {
  let [count, at] = number(bytes, start);
  for (; count > 0; count -= 1) {
    const [found, kind] = text(bytes, at);
    const [index, next] = number(bytes, kind + 1);
    if (bytes[kind] === 0 && found === name) return index;
    at = next;
  }
  return null;
}

function loop(bytes, start, wanted) {
  let [, at] = number(bytes, start);
  for (let index = 0; ; index += 1) {
    const [size, body] = number(bytes, at);
    if (index === wanted) {
      // No locals; loop, br 0, end, unreachable; nothing up to the end.
      bytes.fill(1, body, body + size - 1);
      Buffer.from([0, 3, 0x40, 0x0c, 0, 0x0b, 0]).copy(bytes, body);
      return;
    }
    at = body + size;
  }
}

/** A number in LEB128, and the place after it. */
function number(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7, at += 1) {
    value += (bytes[at] & 0x7f) * 2 ** shift;
    if (bytes[at] < 0x80) return [value, at + 1];
  }
}

function text(bytes, at) {
  const [length, start] = number(bytes, at);
  return [bytes.toString("utf8", start, start + length), start + length];
}
