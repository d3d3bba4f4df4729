// What all three editors have in common: lines end where the pane does, and a page that scrolls goes on scrolling.

import { useGraphiQL } from '@graphiql/react';
import { useEffect } from 'react';
import { showIn } from './example_name.js';

const OPTIONS = {
  wordWrap: 'on',
  wrappingIndent: 'indent',
  scrollbar: { alwaysConsumeMouseWheel: false },
};

export function Editors() {
  const operation = useGraphiQL((state) => state.queryEditor);
  const variables = useGraphiQL((state) => state.variableEditor);
  const headers = useGraphiQL((state) => state.headerEditor);
  const response = useGraphiQL((state) => state.responseEditor);

  useEffect(() => {
    for (const editor of [operation, variables, headers, response]) editor?.updateOptions(OPTIONS);
    showIn(variables);
  }, [operation, variables, headers, response]);

  return null;
}
