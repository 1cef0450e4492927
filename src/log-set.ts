/** The log files that the settings name: opened together, reopened on SIGHUP, given up by a reload. */
import { isAbsolute, join } from 'node:path';
import type { Settings } from './config/shape.ts';
import { type LogFile, type LogFileOptions, LogFiles } from './log/file.ts';

export interface LogSetOptions extends Omit<LogFileOptions, 'path'> {
  readonly dataFolder: string;
  readonly settings: () => Settings;
}

export class LogSet {
  readonly #options: LogSetOptions;
  readonly #files: LogFiles;

  constructor(options: LogSetOptions) {
    this.#options = options;
    this.#files = new LogFiles(options);
  }

  /** Opens the logs of `settings` and gives the ProxyLog; throws when one cannot be opened. */
  async open({ log, events }: Settings): Promise<LogFile> {
    const proxyLog = await this.#open(log.proxyLog);
    await this.#open(log.consoleLog);
    await this.#open(log.throttleLog);
    if (events.logFile !== '') await this.#open(events.logFile);
    return proxyLog;
  }

  /** Where PROXY.LOG lies. */
  get proxyLogPath(): string {
    return this.#pathOf(this.#options.settings().log.proxyLog);
  }

  get console(): LogFile {
    return this.#get(this.#options.settings().log.consoleLog);
  }

  get throttle(): LogFile {
    return this.#get(this.#options.settings().log.throttleLog);
  }

  /** Undefined: there is to be none. */
  get events(): LogFile | undefined {
    const { logFile } = this.#options.settings().events;
    return logFile === '' ? undefined : this.#get(logFile);
  }

  reopen(): Promise<void> {
    return this.#files.reopenAll();
  }

  /** Closes the logs that the settings in force do not name. */
  closeOthers(): Promise<void> {
    const { log, events } = this.#options.settings();
    const names = [log.proxyLog, log.consoleLog, log.throttleLog, events.logFile];
    const inUse = names.filter((name) => name !== '').map((name) => this.#pathOf(name));
    return this.#files.keepOnly(inUse);
  }

  close(): Promise<void> {
    return this.#files.closeAll();
  }

  #get(name: string): LogFile {
    return this.#files.get(this.#pathOf(name));
  }

  #pathOf(name: string): string {
    return isAbsolute(name) ? name : join(this.#options.dataFolder, name);
  }

  async #open(name: string): Promise<LogFile> {
    const log = this.#get(name);
    const opened = await log.open();
    if (!opened.ok) throw new Error(opened.message);
    return log;
  }
}
