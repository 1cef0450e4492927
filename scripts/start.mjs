// `npm start [-- ARGS]`: prepares the checkout and becomes `wormgate start ARGS`. The server runs in
// this very process, and package.json puts it in the shell's place, so that a signal to npm reaches it.
import { prepare } from './prepare.mjs';

prepare();
process.argv.splice(2, 0, 'start');
await import('../dist/bin/wormgate.cjs');
