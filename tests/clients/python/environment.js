// Where scripts/test puts Python's packages.

import { fileURLToPath } from 'node:url';

/// The folder of Python's commands.
export const commands = fileURLToPath(new URL('.venv/bin', import.meta.url));

/// Python, with the packages of requirements.txt.
export const python = `${commands}/python`;
