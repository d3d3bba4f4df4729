// The nonce before all: the editor adds styles as soon as it is loaded.
import './style_nonce.js';
import './workers.js';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import 'graphiql/graphiql.css';
import './playground.css';

import { DOC_EXPLORER_PLUGIN } from '@graphiql/plugin-doc-explorer';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { HEADERS } from './credentials.js';
import { EXAMPLES } from './examples.js';
import { fetcher } from './fetcher.js';
import { SharedHeaders } from './shared_headers.js';
import { storage } from './storage.js';

// Without the history plugin, which would store headers.
const page = (
  <GraphiQL
    fetcher={fetcher}
    storage={storage}
    shouldPersistHeaders={false}
    plugins={[]}
    visiblePlugin={DOC_EXPLORER_PLUGIN}
    defaultTabs={EXAMPLES}
    initialVariables={EXAMPLES[0].variables}
    defaultQuery=""
    defaultHeaders={HEADERS}
    defaultEditorToolsVisibility="headers"
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>Tokenwright</GraphiQL.Logo>
    <SharedHeaders />
  </GraphiQL>
);

createRoot(document.querySelector('#playground')).render(page);
