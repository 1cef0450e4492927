/**
 * Who listens where: two accelerators may share an address if their Hosts tell them apart, the admin
 * server and the egress gateway share with nobody, and beyond loopback the former needs a Token. What
 * the operating system would refuse at the start for certain is a fault here already, with its line.
 */
import { isIPv4 } from 'node:net';
import { AddressList } from './address-list.ts';
import { formatHostPort } from './endpoint.ts';
import type { AcceleratorSettings, HostPort } from './shape.ts';

/** An accelerator with its places in the file. */
export interface ClaimingAccelerator {
  readonly settings: AcceleratorSettings;
  /** As in the file, e.g. `Accelerator main`. */
  readonly section: string;
  readonly listenLine: number;
  readonly listenTlsLine: number;
  /** Undefined when the accelerator has no Hosts line. */
  readonly hostsLine: number | undefined;
  /** False when Listen or Hosts could not be read, so that nothing is known of its claims. */
  readonly isComplete: boolean;
  report(line: number, key: string, message: string): void;
}

/** A server that shares its address with nobody, with its places in the file. */
export interface ClaimingServer {
  /** Undefined when it does not listen, or Listen could not be read. */
  readonly listen: HostPort | undefined;
  readonly listenLine: number;
  report(line: number, key: string, message: string): void;
}

export interface ClaimingAdmin extends ClaimingServer {
  /** Undefined when it could not be read. */
  readonly token: string | undefined;
}

interface Listener {
  readonly address: HostPort;
  readonly isTls: boolean;
  readonly section: string;
  readonly line: number;
}

const loopback = new AddressList(['127.0.0.0/8', '::1']);

function isLoopback(host: string): boolean {
  return host === 'localhost' || loopback.has(host);
}

function place({ section, line }: { section: string; line: number }): string {
  return line === 0 ? `[${section}]` : `[${section}], line ${line}`;
}

// Whether `wide` takes the port on every address of the family that `narrow` belongs to.
function covers(wide: HostPort, narrow: HostPort): boolean {
  if (wide.port !== narrow.port || wide.host === narrow.host) return false;
  if (wide.host === '0.0.0.0') return isIPv4(narrow.host);
  return wide.host === '::' && narrow.host.includes(':');
}

/** The listener that already takes a part of `address`, if there is one. */
function findOverlap(listeners: Iterable<Listener>, address: HostPort): Listener | undefined {
  for (const listener of listeners) {
    if (covers(listener.address, address) || covers(address, listener.address)) return listener;
  }
  return undefined;
}

function checkHosts(
  accelerator: ClaimingAccelerator,
  address: string,
  claims: Map<string, { readonly section: string; readonly line: number }>,
): void {
  const { settings, section, listenLine, hostsLine } = accelerator;
  const line = hostsLine ?? listenLine;
  for (const host of settings.hosts.length === 0 ? [''] : settings.hosts) {
    const id = `${address} ${host}`;
    const first = claims.get(id);
    const key = hostsLine === undefined ? 'Listen' : 'Hosts';
    if (first === undefined) {
      claims.set(id, { section, line });
    } else if (first.section === section) {
      accelerator.report(line, key, `${host} stands twice`);
    } else if (host === '') {
      const hint = 'give one of them Hosts';
      accelerator.report(
        line,
        key,
        `every host on ${address} already belongs to ${place(first)}; ${hint}`,
      );
    } else {
      accelerator.report(line, key, `${host} on ${address} already belongs to ${place(first)}`);
    }
  }
}

/** Every address of an accelerator, the plain ones first. */
function placesOf({ listen, tls }: AcceleratorSettings) {
  const plain = listen.map((address) => ({ address, isTls: false }));
  return [...plain, ...tls.listen.map((address) => ({ address, isTls: true }))];
}

/** Reports every clash between the accelerators. */
function checkAccelerators(
  accelerators: readonly ClaimingAccelerator[],
  listeners: Map<string, Listener>,
): void {
  const claims = new Map<string, { readonly section: string; readonly line: number }>();
  for (const accelerator of accelerators) {
    const { settings, section, listenLine, listenTlsLine } = accelerator;
    const own = new Set<string>();
    for (const { address, isTls } of placesOf(settings)) {
      const [key, line] = isTls ? ['ListenTls', listenTlsLine] : ['Listen', listenLine];
      const id = formatHostPort(address);
      const known = listeners.get(id);
      if (own.has(id) && known?.isTls === isTls) {
        accelerator.report(line, key, `${id} stands twice`);
        continue;
      }
      own.add(id);
      if (known !== undefined && known.isTls !== isTls) {
        const message = `${id} cannot be both in Listen and in ListenTls, as of ${place(known)}`;
        accelerator.report(line, key, message);
        continue;
      }
      const overlap = findOverlap(listeners.values(), address);
      if (overlap !== undefined) {
        const other = formatHostPort(overlap.address);
        const message = `${id} and ${other} of ${place(overlap)} take the same port`;
        accelerator.report(line, key, message);
      }
      if (known === undefined) listeners.set(id, { address, isTls, section, line });
      checkHosts(accelerator, id, claims);
    }
  }
}

/** Reports a clash of `server`, which is called `name` in `section`, with those that listen already. */
function checkAlone(
  server: ClaimingServer,
  { section, name }: { readonly section: string; readonly name: string },
  listeners: Map<string, Listener>,
): void {
  const { listen, listenLine } = server;
  if (listen === undefined) return;
  const id = formatHostPort(listen);
  const taken = listeners.get(id) ?? findOverlap(listeners.values(), listen);
  if (taken === undefined) {
    listeners.set(id, { address: listen, isTls: false, section, line: listenLine });
    return;
  }
  const other = formatHostPort(taken.address);
  const message = `${id} clashes with ${other} of ${place(taken)}; ${name} needs an address of its own`;
  server.report(listenLine, 'Listen', message);
}

/** Reports every clash of addresses and claims between the accelerators, the admin server and the gateway. */
export function checkClaims(
  accelerators: readonly ClaimingAccelerator[],
  admin: ClaimingAdmin,
  gateway: ClaimingServer,
): void {
  const listeners = new Map<string, Listener>();
  checkAccelerators(
    accelerators.filter((accelerator) => accelerator.isComplete),
    listeners,
  );
  checkAlone(admin, { section: 'Admin', name: 'the admin server' }, listeners);
  checkAlone(gateway, { section: 'Egress', name: 'the egress gateway' }, listeners);
  const { listen, token } = admin;
  if (listen === undefined || token !== '' || isLoopback(listen.host)) return;
  const message = `${formatHostPort(listen)} is not a loopback address; set a Token, or listen on 127.0.0.1`;
  admin.report(admin.listenLine, 'Listen', message);
}
