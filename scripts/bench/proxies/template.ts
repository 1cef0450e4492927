/**
 * Configuration templates, in the folder `templates`: `{{NAME}}` stands for a value; a line that
 * begins with `@on` or `@off` is there only while access logs are on, or off. Pure but for reading.
 */
import { readFileSync } from 'node:fs';
import { projectPath } from '../../../test/support/paths.ts';

export type Values = Readonly<Record<string, string | number>>;

/** The text with its values filled in. Throws when one is missing. */
export function fillTemplate(text: string, logsOn: boolean, values: Values): string {
  const kept = logsOn ? 'on' : 'off';
  return text
    .split('\n')
    .filter((line) => !line.startsWith('@') || line.startsWith(`@${kept} `))
    .map((line) => line.replace(/^@\w+ +/, ''))
    .join('\n')
    .replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`the template's value ${name} is missing`);
      return String(value);
    });
}

/** Where a template is. */
export function templatePath(name: string): string {
  return projectPath('scripts', 'bench', 'proxies', 'templates', name);
}

export function readTemplate(name: string): string {
  return readFileSync(templatePath(name), 'utf8');
}
