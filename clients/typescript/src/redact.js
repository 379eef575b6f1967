// Errors without the token, in any property, message, stack or cause.
'use strict';

const MASK = '***';
const DEPTH = 12;

// The error itself if the token is nowhere in it, else a copy of the same class without it. The error is not changed: its
// parts can be objects that the application still uses, such as a request with its headers.
function redacted(error, token) {
  return token && contains(error, token, new Set(), 0) ? copy(error, token, new Map()) : error;
}

// Accessors are not called: reading must not have an effect, and util.inspect does not call them either.
function members(value) {
  return Reflect.ownKeys(value)
    .map((key) => [key, Object.getOwnPropertyDescriptor(value, key)])
    .filter(([, descriptor]) => descriptor && 'value' in descriptor);
}

function entries(value) {
  if (value instanceof Map) return [...value].flat();
  if (value instanceof Set) return [...value];
  return [];
}

function contains(value, token, seen, depth) {
  if (typeof value === 'string') return value.includes(token);
  if (value === null || typeof value !== 'object' && typeof value !== 'function' || seen.has(value)) return false;
  seen.add(value);
  // Bytes, of a message for example. Beyond the depth the answer is yes, and the copy has no such part.
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).includes(token);
  if (depth === DEPTH) return true;
  const within = (part) => contains(part, token, seen, depth + 1);
  return entries(value).some(within)
    || members(value).some(([key, { value: member }]) => within(member) || typeof key === 'string' && key.includes(token));
}

// Errors are copied with their causes. Of their other members those stay that do not contain the token.
function copy(error, token, copies) {
  if (typeof error === 'string') return error.replaceAll(token, MASK);
  if (!(error instanceof Error)) return new Error('The thrown value contained the token');
  if (copies.has(error)) return copies.get(error);
  const result = new Error(String(error.message).replaceAll(token, MASK));
  copies.set(error, result);
  Object.setPrototypeOf(result, Object.getPrototypeOf(error));
  const hidden = { writable: true, configurable: true, enumerable: false };
  Object.defineProperty(result, 'stack', { ...hidden, value: String(error.stack).replaceAll(token, MASK) });
  for (const [key, descriptor] of members(error)) {
    const member = descriptor.value;
    const enumerable = descriptor.enumerable;
    if (key === 'message' || key === 'stack' || typeof key === 'string' && key.includes(token)) continue;
    if (typeof member === 'string') {
      Object.defineProperty(result, key, { ...hidden, enumerable, value: member.replaceAll(token, MASK) });
    } else if (member instanceof Error) {
      Object.defineProperty(result, key, { ...hidden, enumerable, value: redacted(member, token) === member ? member : copy(member, token, copies) });
    } else if (!contains(member, token, new Set(), 0)) {
      Object.defineProperty(result, key, { ...hidden, enumerable, value: member });
    }
  }
  return result;
}

exports.redacted = redacted;
