// Envoy with a file of contrib/gateways/envoy.

import { packaged } from './gateway.js';

const ACCESS_LOG = `
                access_log:
                  - name: envoy.access_loggers.stdout
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog`;

export const envoy = (file) => () => ({
  files: { 'envoy.yaml': `envoy/${file}` },
  logs: ['stat_prefix: api', `stat_prefix: api${ACCESS_LOG}`],
  command: (folder) => [
    packaged('envoy'), '--config-path', `${folder}/envoy.yaml`, '--concurrency', '1', '--disable-hot-restart',
  ],
});
