/** `npm run package`: makes the VSIX. */
import { join } from 'node:path';
import { packageExtension } from './package.ts';

const path = await packageExtension(join(import.meta.dirname, '..', '..', '..', 'dist'));
process.stdout.write(`Written: ${path}\nInstall it with: code --install-extension ${path}\n`);
