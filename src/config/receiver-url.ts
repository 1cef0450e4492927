/** The type of the URLs that events and spans are POSTed to. */
import { accept, refuse, type ValueType } from './value.ts';

/**
 * A URL that something is POSTed to, or nothing; `secretKey` is the place for a secret. The URL may be one as
 * a whole: what is wrong with it is told without quoting it.
 */
export function receiverUrl(secretKey: string): ValueType<string> {
  return {
    description: 'http:// or https:// URL, or empty',
    isSecret: true,
    parse(written) {
      const text = /^"(.*)"$/.exec(written)?.[1] ?? written;
      if (text === '') return accept('');
      if (!/^https?:\/\/[\x21-\x7e]+$/i.test(text) || !URL.canParse(text)) {
        return refuse('it is not a URL that begins with http:// or https://');
      }
      const { username, password, hash } = new URL(text);
      if (username !== '' || password !== '') {
        return refuse(`it has a user name or a password; ${secretKey} is the place for a secret`);
      }
      return hash === '' ? accept(text) : refuse('it has a #, which is not sent');
    },
  };
}
