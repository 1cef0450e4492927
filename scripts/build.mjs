// `npm run build`: compiles everything afresh.
import { build } from './prepare.mjs';

build();
