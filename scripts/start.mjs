// `npm start [-- ARGS]`: prepares the checkout and becomes `wormgate start ARGS`. The server runs in
// this very process, so that signals sent to it need no passing on.
import { prepare } from './prepare.mjs';

prepare();
process.argv.splice(2, 0, 'start');
await import('../dist/src/cli/wormgate.js');
