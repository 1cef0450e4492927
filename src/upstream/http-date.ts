/** The Date header's value (RFC 9110 §6.6.1), made once a second however many answers carry it. */

let knownSecond = Number.NaN;
let knownText = '';

/** `Tue, 15 Nov 1994 08:12:31 GMT`, for milliseconds since the epoch. */
export function httpDate(nowMs: number): string {
  const second = Math.floor(nowMs / 1000);
  if (second !== knownSecond) {
    knownSecond = second;
    knownText = new Date(second * 1000).toUTCString();
  }
  return knownText;
}
