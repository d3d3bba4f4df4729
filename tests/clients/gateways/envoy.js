// Envoy with a file of contrib/gateways/envoy.

import { packaged } from './gateway.js';

export const envoy = (file) => () => ({
  files: { 'envoy.yaml': `envoy/${file}` },
  command: (folder) => [
    packaged('envoy'), '--config-path', `${folder}/envoy.yaml`, '--concurrency', '1', '--disable-hot-restart',
  ],
});
