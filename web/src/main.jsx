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
import { Editors } from './editors.js';
import { EXAMPLES } from './examples.js';
import { fetcher } from './fetcher.js';
import { FirstSteps } from './first_steps.jsx';
import { SharedHeaders } from './shared_headers.js';
import { storage } from './storage.js';

// The documentation would fill a phone's screen.
const isNarrow = matchMedia('(max-width: 820px)').matches;

// Without the history plugin, which would store headers.
const page = (
  <GraphiQL
    fetcher={fetcher}
    storage={storage}
    shouldPersistHeaders={false}
    plugins={[]}
    visiblePlugin={isNarrow ? undefined : DOC_EXPLORER_PLUGIN}
    defaultTabs={EXAMPLES}
    initialVariables={EXAMPLES[0].variables}
    defaultQuery=""
    defaultHeaders={HEADERS}
    defaultEditorToolsVisibility="headers"
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>Tokenwright</GraphiQL.Logo>
    <GraphiQL.Footer><FirstSteps /></GraphiQL.Footer>
    <Editors />
    <SharedHeaders />
  </GraphiQL>
);

createRoot(document.querySelector('#playground')).render(page);
