import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { NameServers } from '../../../src/egress/name-servers.ts';

const nameServers = new NameServers();
after(() => nameServers.close());

test('a name of the hosts file needs no name server', async () => {
  assert.ok((await nameServers.addressesOf('localhost')).includes('127.0.0.1'));
  assert.ok((await nameServers.addressesOfOrigin('localhost')).includes('127.0.0.1'));
});
