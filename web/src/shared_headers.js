// One set of headers for all tabs, and the schema as soon as there is a token that may read it.

import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef } from 'react';
import { tokenIn } from './credentials.js';

export function SharedHeaders() {
  const editor = useGraphiQL((state) => state.headerEditor);
  const tab = useGraphiQL((state) => state.activeTabIndex);
  const hasSchema = useGraphiQL((state) => Boolean(state.schema));
  const { introspect } = useGraphiQLActions();
  const typed = useRef();
  const tried = useRef();

  // A flush is GraphiQL putting the headers of another tab in; everything else is typed or pasted.
  useEffect(() => {
    const listening = editor?.onDidChangeModelContent(({ isFlush }) => {
      if (!isFlush) typed.current = editor.getValue();
    });
    return () => listening?.dispose();
  }, [editor]);

  useEffect(() => {
    if (typed.current !== undefined && editor.getValue() !== typed.current) editor.setValue(typed.current);
  }, [editor, tab]);

  useEffect(() => {
    if (hasSchema) return undefined;
    const listening = editor?.onDidChangeModelContent(() => {
      const token = tokenIn(editor.getValue());
      if (token && token !== tried.current) introspect();
      tried.current = token;
    });
    return () => listening?.dispose();
  }, [editor, hasSchema, introspect]);

  return null;
}
